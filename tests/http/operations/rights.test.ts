import { describe, expect, it } from 'vitest';
import { defineBatch } from '../../../core/operation-types/batch.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { createTenantSetup } from '../../../core/provisioning/tenant-services-store.ts';
import { apiKeyDoc } from '../../../core/access/api-key.ts';
import { createApiKeyStore } from '../../../core/access/api-key-store.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { expectProblem, freshKey, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ sagas: true });
const secret = 's'.repeat(32);

/** A request for a tenant, and the key that it will have. */
function provisioning(tenant: string, id: string) {
  const doc = apiKeyDoc({
    id,
    secret,
    tenantId: tenant,
    scopes: ['admin'],
    name: '',
    at: new Date(),
  });
  const firstKey = { id, secretHash: doc.hash };
  return {
    key: `slk_${id}_${secret}`,
    hash: doc.hash,
    request: { type: 'tenant.provision', input: { tenant, currencies: ['EUR'], firstKey } },
  };
}

describe('setting up a tenant', () => {
  it('is not for a key that may only submit operations, alone or in a bulk', async () => {
    const key = await api.newKey({ scopes: ['operations:write', 'ledger:read'] });
    const before = await api.effects();
    const { request } = provisioning('mine', 'mykey1');
    expectProblem(await api.post('/v1/operations', request, { key }), 403, 'forbidden');
    const item = { ...request, idempotencyKey: freshKey() };
    const { body } = await api.post('/v1/operations/bulk', [item], { key });
    expect(body.results).toMatchObject([{ status: 403, problem: { code: 'forbidden' } }]);
    expect(await api.effects()).toEqual(before);
  });

  it('is not ended by a key that could not have asked for it', async () => {
    const writer = await api.newKey({ scopes: ['operations:write', 'ledger:read'] });
    const { request } = provisioning('later', 'laterkey1');
    const runAt = new Date(Date.now() + 86_400_000).toISOString();
    const { body } = await api.post('/v1/operations', { ...request, runAt });
    const cancel = `/v1/operations/${String(body.id)}/cancel`;
    const refused = await api.ask(cancel, { method: 'POST', key: writer });
    expectProblem(refused, 403, 'forbidden');
    expect(refused.body.detail).toContain('scope "admin"');
    // What an approver answers has to be of a type that it may ask for, too.
    const approver = await api.newKey({ scopes: ['operations:approve'] });
    const signal = `/v1/operations/${String(body.id)}/signals/anything`;
    expectProblem(await api.post(signal, {}, { key: approver }), 403, 'forbidden');
    const { body: still } = await api.ask(`/v1/operations/${String(body.id)}`);
    expect(still).toMatchObject({ status: 'waiting' });
    expect(still).not.toHaveProperty('cancelRequested');
    const { body: after } = await api.ask(cancel, { method: 'POST' });
    expect(after.status).toBe('canceled');
  });

  it("gives an admin's tenant its key, which works from then on", async () => {
    const { key, request } = provisioning('theirs', 'theirkey1');
    await succeed(api, '/v1/operations', request);
    expect((await api.ask('/v1/operations', { key })).status).toBe(200);
  });

  it('cannot be a part of a batch, in which no type needs a right of its own', async () => {
    const { request } = provisioning('hidden', 'hiddenkey1');
    const batch = { type: 'batch', input: { operations: [request] } };
    expectProblem(await api.post('/v1/operations', batch), 400, 'invalid_request');
    const { 'wallet.credit': credit } = OPERATIONS;
    expect(() => defineBatch({ 'wallet.credit': { ...credit, scope: 'admin' } })).toThrow(
      'needs no right of its own',
    );
  });
});

describe('a tenant that is not (or no longer) set up', () => {
  const setup = () => createTenantSetup(api.db, systemClock);

  it('lets nobody in before, and nobody after it was given up', async () => {
    const { key, hash } = provisioning('early', 'earlykey1');
    const tenant = { tenantId: 'early', currencies: [], operationId: 'op_early' };
    await setup().reserve(tenant);
    expect(await setup().addKey(tenant, { id: 'earlykey1', hash })).toBe(true);
    expectProblem(await api.ask('/v1/operations', { key }), 401, 'unauthenticated');
    await setup().abandon(tenant);
    expectProblem(await api.ask('/v1/operations', { key }), 401, 'unauthenticated');
    // Made by hand, of a tenant that is none.
    const other = await api.newKey({ tenantId: 'early', scopes: ['admin'] });
    expectProblem(await api.ask('/v1/operations', { key: other }), 401, 'unauthenticated');
  });

  it('gets no live key from a worker that comes too late', async () => {
    const tenant = { tenantId: 'late', currencies: [], operationId: 'op_late' };
    await setup().reserve(tenant);
    // Another worker gives the operation up between what the late one reads and what it writes.
    const db: typeof api.db = Object.create(api.db, {
      collection: {
        value: (name: string, options: object) => {
          const found = api.db.collection(name, options);
          const write = found.findOneAndUpdate.bind(found);
          const giveUpFirst = async (...args: Parameters<typeof write>) => {
            await setup().abandon(tenant);
            return write(...args);
          };
          return name === 'api_keys'
            ? Object.assign(found, { findOneAndUpdate: giveUpFirst })
            : found;
        },
      },
    });
    const { key, hash } = provisioning('late', 'latekey1');
    const added = await createTenantSetup(db, systemClock).addKey(tenant, { id: 'latekey1', hash });
    expect(added).toBe(false);
    const stored = await createApiKeyStore(api.db).find('late', 'latekey1');
    expect(stored).toMatchObject({ tenantId: 'late', revokedAt: expect.any(Date) });
    // The id is free again; whoever takes it has keys of their own.
    const again = provisioning('late', 'latekey2');
    await succeed(api, '/v1/operations', again.request);
    expectProblem(await api.ask('/v1/operations', { key }), 401, 'unauthenticated');
    expect((await api.ask('/v1/operations', { key: again.key })).status).toBe(200);
  });
});
