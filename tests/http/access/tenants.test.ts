import { describe, expect, it } from 'vitest';
import { expectProblem, useApi } from '../../support/api.ts';
import { follow } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

const api = useApi();

const change = (id: string, body: object, key?: string) =>
  api.ask(`/v1/tenants/${id}`, { method: 'PATCH', body, ...(key !== undefined && { key }) });

describe('the status of a tenant', () => {
  it('shuts all of its keys at once, its streams, and lets them in again', async () => {
    await api.newTenant('shop');
    const keys = [
      await api.newKey({ tenantId: 'shop', scopes: ['ledger:read'] }),
      await api.newKey({ tenantId: 'shop', scopes: ['admin'] }),
    ];
    const asked = (key: string) => api.ask('/v1/operations', { key });
    for (const key of keys) expect((await asked(key)).status).toBe(200);
    const stream = await follow(`${api.url}/v1/stream`, keys[0] ?? '');
    expect((await change('shop', { status: 'suspended' })).body.status).toBe('suspended');
    for (const key of keys) expectProblem(await asked(key), 403, 'tenant_suspended');
    const before = await api.effects();
    const write = await api.post('/v1/users', { userId: 'u' }, { key: keys[1] ?? '' });
    expectProblem(write, 403, 'tenant_suspended');
    expect(write.headers.get('www-authenticate')).toBe('Bearer realm="sluice"');
    expect(await api.effects()).toEqual(before);
    const wrong = `${keys[0]?.slice(0, -8) ?? ''}xxxxxxxx`;
    expectProblem(await asked(wrong), 401, 'unauthenticated');
    await until(() => !stream.isOpen(), 'its stream is closed', 14_000);
    await change('shop', { status: 'active' });
    for (const key of keys) expect((await asked(key)).status).toBe(200);
    await change('shop', { status: 'closed' });
    for (const key of keys) expectProblem(await asked(key), 403, 'tenant_closed');
    expectProblem(await change('shop', { status: 'active' }), 409, 'illegal_state');
    const { body } = await api.ask('/v1/audit?action=tenant.change&target=shop');
    expect(body.items).toMatchObject([
      { actor: 'admin', before: { status: 'active' }, after: { status: 'closed' } },
      { before: { status: 'suspended' }, after: { status: 'active' } },
      { before: { status: 'active' }, after: { status: 'suspended' } },
    ]);
  });

  it('is changed by the default tenant alone, and never its own', async () => {
    await api.newTenant('mine');
    await api.newTenant('yours');
    const key = await api.newKey({ tenantId: 'mine', scopes: ['admin'] });
    const before = await api.effects();
    expectProblem(await change('mine', { status: 'suspended' }, key), 403, 'forbidden');
    expectProblem(await change('yours', { status: 'suspended' }, key), 404, 'not_found');
    expectProblem(await api.ask('/v1/tenants/yours', { key }), 404, 'not_found');
    expect((await api.ask('/v1/tenants', { key })).body.items).toMatchObject([{ id: 'mine' }]);
    expect((await api.ask('/v1/tenants/mine', { key })).body).toMatchObject({ status: 'active' });
    expectProblem(await change('default', { status: 'suspended' }), 409, 'illegal_state');
    expectProblem(await change('nobody', { status: 'suspended' }), 404, 'not_found');
    expect(await api.effects()).toEqual(before);
  });

  it.each([
    ['nothing', {}],
    ['a status that there is not', { status: 'frozen' }],
    ['a status that only setting up gives', { status: 'abandoned' }],
    ['a quota of nothing', { plan: { write: { tenant: { quota: 0, windowSeconds: 1 } } } }],
    ['a quota without its window', { plan: { write: { tenant: { quota: 1 } } } }],
    ['a class that there is not', { plan: { both: {} } }],
  ])('is not changed to %s', async (_what, body) => {
    await api.newTenant('still');
    const before = await api.effects();
    expectProblem(await change('still', body), 400, 'invalid_request');
    expect(await api.effects()).toEqual(before);
  });
});
