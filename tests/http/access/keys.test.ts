import { describe, expect, it } from 'vitest';
import { type Answer, expectProblem, freshKey, useApi } from '../../support/api.ts';
import { makeUsers } from '../../support/http-fixtures.ts';
import { until } from '../../support/wait.ts';

const api = useApi({ worker: true });

async function make(body: object, key?: string): Promise<Answer> {
  const answer = await api.post('/v1/keys', body, { ...(key !== undefined && { key }) });
  expect(answer).toMatchObject({ status: 201, body: { key: expect.stringMatching(/^slk_/) } });
  return answer;
}

const reading = async (key: string): Promise<number> =>
  (await api.ask('/v1/operations', { key })).status;

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

describe('making a key', () => {
  it('shows its text once, and works at once', async () => {
    const { body, headers } = await make({ name: 'books', scopes: ['ledger:read'] });
    expect(body).toMatchObject({ name: 'books', scopes: ['ledger:read'], createdBy: 'admin' });
    expect(headers.get('location')).toBe(`/v1/keys/${String(body.id)}`);
    expect(await reading(body.key)).toBe(200);
    const shown = await api.ask(`/v1/keys/${String(body.id)}`);
    expect(shown.body).not.toHaveProperty('key');
    const listed = await api.ask('/v1/keys?limit=1');
    expect(listed.body.items).toMatchObject([{ id: body.id, name: 'books' }]);
    const secret = String(body.key).split('_')[2] ?? '';
    expect(shown.text + listed.text).not.toContain(secret);
    const stored = await api.db.collection('api_keys').find().toArray();
    expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it('under one idempotency key is done once, however many ask', async () => {
    const headers = { 'idempotency-key': freshKey() };
    const body = { name: 'once', scopes: ['ledger:read'] };
    const before = await api.effects();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.post('/v1/keys', body, { headers })),
    );
    const fresh = answers.filter(({ status }) => status === 201);
    expect(fresh).toHaveLength(1);
    expect(new Set(answers.map((one) => String(one.body.id))).size).toBe(1);
    const repeats = answers.filter(({ status }) => status === 200);
    expect(repeats).toHaveLength(49);
    for (const repeat of repeats) {
      expect(repeat.body).not.toHaveProperty('key');
      expect(repeat.headers.get('idempotent-replayed')).toBe('true');
    }
    const after = await api.effects();
    expect(after['api_keys']).toBe((before['api_keys'] ?? 0) + 1);
    expect(after['audit']).toBe((before['audit'] ?? 0) + 1);
    const other = await api.post('/v1/keys', { ...body, name: 'twice' }, { headers });
    expectProblem(other, 409, 'idempotency_conflict');
    expectProblem(
      await api.ask('/v1/keys', { method: 'POST', body }),
      400,
      'idempotency_key_required',
    );
  });

  it.each([
    ['no scope', { name: 'x', scopes: [] }],
    ['an unknown scope', { name: 'x', scopes: ['everything'] }],
    ['a type that there is not', { name: 'x', scopes: ['operations:write:transfers'] }],
    ['a group without members', { name: 'x', scopes: ['operations:write:transfer.*.*'] }],
    ['all types as a pattern', { name: 'x', scopes: ['operations:write:*'] }],
    ['an end in the past', { name: 'x', scopes: ['ledger:read'], expiresAt: inSeconds(-1) }],
    ['an end without a zone', { name: 'x', scopes: ['ledger:read'], expiresAt: '2030-01-01' }],
    ['no name', { name: ' ', scopes: ['ledger:read'] }],
    ['a field of its own', { name: 'x', scopes: ['ledger:read'], tenantId: 'other' }],
  ])('with %s is refused', async (_what, body) => {
    const before = await api.effects();
    expectProblem(await api.post('/v1/keys', body), 400, 'invalid_request');
    expect(await api.effects()).toEqual(before);
  });

  it('gives no more than whoever makes it has, nor for longer', async () => {
    const expiresAt = inSeconds(600);
    const scopes = ['keys:admin', 'operations:write:hold.*', 'ledger:read'];
    const { body } = await make({ name: 'keeper', scopes, expiresAt });
    const before = await api.effects();
    for (const one of [
      'admin',
      'operations:write',
      'operations:write:transfer',
      'operations:approve',
    ]) {
      const wish = { name: 'more', scopes: [one], expiresAt };
      expectProblem(await api.post('/v1/keys', wish, { key: body.key }), 403, 'forbidden');
    }
    const longer = [{ expiresAt: inSeconds(700) }, {}];
    for (const end of longer) {
      const wish = { name: 'longer', scopes: ['ledger:read'], ...end };
      expectProblem(await api.post('/v1/keys', wish, { key: body.key }), 400, 'invalid_request');
    }
    const stronger = await make({ name: 'boss', scopes: ['admin'] });
    const path = `/v1/keys/${String(stronger.body.id)}`;
    expectProblem(await api.post(`${path}/rotate`, {}, { key: body.key }), 403, 'forbidden');
    const revoke = { method: 'DELETE', key: body.key };
    expectProblem(await api.ask(path, revoke), 403, 'forbidden');
    expect(await reading(stronger.body.key)).toBe(200);
    expect((await api.effects())['api_keys']).toBe((before['api_keys'] ?? 0) + 1);
    const some = ['operations:write:hold.place', 'operations:write:hold.*', 'ledger:read'];
    await make({ name: 'less', scopes: some, expiresAt }, body.key);
  });
});

describe('a key that ends', () => {
  it('is refused from then on', async () => {
    const expiresAt = inSeconds(1.5);
    const { body } = await make({ name: 'brief', scopes: ['ledger:read'], expiresAt });
    expect(await reading(body.key)).toBe(200);
    await until(async () => (await reading(body.key)) === 401, 'it is over', 4_000);
    const answer = await api.ask('/v1/operations', { key: body.key });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.body.detail).toBe('The key is expired');
    const rotate = await api.post(`/v1/keys/${String(body.id)}/rotate`, {});
    expectProblem(rotate, 409, 'illegal_state');
  });

  it('is revoked for good, at once', async () => {
    const { body } = await make({ name: 'gone', scopes: ['ledger:read'] });
    expect(await reading(body.key)).toBe(200);
    const path = `/v1/keys/${String(body.id)}`;
    const revoked = await api.ask(path, { method: 'DELETE' });
    expect(revoked).toMatchObject({ status: 200, body: { revokedAt: expect.any(String) } });
    expect(await reading(body.key)).toBe(401);
    const again = await api.ask(path, { method: 'DELETE' });
    expect(again.body.revokedAt).toBe(revoked.body.revokedAt);
    expectProblem(await api.post(`${path}/rotate`, {}), 409, 'illegal_state');
    const lines = await api.ask(`/v1/audit?target=${String(body.id)}`);
    expect(lines.body.items).toMatchObject([{ action: 'key.revoke' }, { action: 'key.create' }]);
  });
});

describe('rotating a key', () => {
  it('leaves the old secret good for its grace, and only the newest one shown', async () => {
    const { body } = await make({ name: 'turning', scopes: ['ledger:read'] });
    const path = `/v1/keys/${String(body.id)}/rotate`;
    const headers = { 'idempotency-key': freshKey() };
    const turned = await api.post(path, { graceSeconds: 2 }, { headers });
    expect(turned).toMatchObject({ status: 200, body: { id: body.id } });
    expect(turned.body.key).not.toBe(body.key);
    expect(await reading(turned.body.key)).toBe(200);
    expect(await reading(body.key)).toBe(200);
    const repeat = await api.post(path, { graceSeconds: 2 }, { headers });
    expect(repeat.body).not.toHaveProperty('key');
    expect(repeat.headers.get('idempotent-replayed')).toBe('true');
    const other = await api.post(path, { graceSeconds: 3 }, { headers });
    expectProblem(other, 409, 'idempotency_conflict');
    await until(async () => (await reading(body.key)) === 401, 'the old one is over', 5_000);
    expect(await reading(turned.body.key)).toBe(200);
  });

  it('without grace ends every earlier secret at once', async () => {
    const { body } = await make({ name: 'leaked', scopes: ['ledger:read'] });
    const path = `/v1/keys/${String(body.id)}/rotate`;
    const first = await api.post(path, {});
    const day = Date.parse(first.body.oldSecretUntil) - Date.parse(first.body.rotatedAt);
    expect(day).toBe(86_400_000);
    const second = await api.post(path, { graceSeconds: 0 });
    const statuses = await Promise.all(
      [body.key, first.body.key, second.body.key].map((key: string) => reading(key)),
    );
    expect(statuses).toEqual([401, 401, 200]);
  });

  it('stops where too many secrets would be good', async () => {
    const { body } = await make({ name: 'restless', scopes: ['ledger:read'] });
    const path = `/v1/keys/${String(body.id)}/rotate`;
    for (let turn = 0; turn < 5; turn += 1) expect((await api.post(path, {})).status).toBe(200);
    expectProblem(await api.post(path, {}), 409, 'limit_reached');
    expect((await api.post(path, { graceSeconds: 0 })).status).toBe(200);
  });
});

describe('a key that is limited to some types', () => {
  const money = { currency: 'EUR', amount: '1' };
  const credit = { type: 'wallet.credit', input: { userId: 'ann', ...money } };
  const transfer = { type: 'transfer', input: { fromUserId: 'ann', toUserId: 'bob', ...money } };

  it('is refused all others: alone, in a bulk, in a batch, by another path, and to cancel', async () => {
    await makeUsers(api);
    const scopes = ['operations:write:wallet.*'];
    const { key } = (await make({ name: 'credits', scopes })).body;
    expect((await api.post('/v1/credits', credit.input, { key })).status).toBe(202);
    const later = { ...transfer, runAt: inSeconds(600) };
    const { body: waiting } = await api.post('/v1/operations', later);
    const before = await api.operations();
    expectProblem(await api.post('/v1/transfers', transfer.input, { key }), 403, 'forbidden');
    expectProblem(await api.post('/v1/operations', transfer, { key }), 403, 'forbidden');
    const batch = { type: 'batch', input: { operations: [credit, transfer, credit] } };
    const refused = await api.post('/v1/operations', batch, { key });
    expectProblem(refused, 403, 'forbidden');
    expect(refused.body.errors).toMatchObject([{ pointer: '/input/operations/1/type' }]);
    const cancel = `/v1/operations/${String(waiting.id)}/cancel`;
    expectProblem(await api.ask(cancel, { method: 'POST', key }), 403, 'forbidden');
    expect(await api.operations()).toBe(before);
    const items = [transfer, credit, batch].map((one) => ({ ...one, idempotencyKey: freshKey() }));
    const { body } = await api.post('/v1/operations/bulk', items, { key });
    expect(body.results).toMatchObject([{ status: 403 }, { status: 202 }, { status: 403 }]);
    expect(await api.operations()).toBe(before + 1);
    const fine = { type: 'batch', input: { operations: [credit, credit] } };
    expect((await api.post('/v1/operations', fine, { key })).status).toBe(202);
    expectProblem(await api.ask('/v1/operations', { key }), 403, 'forbidden');
  });
});

it('tells when a key was used last, to the minute and behind its back', async () => {
  const { body } = await make({ name: 'used', scopes: ['ledger:read'] });
  const path = `/v1/keys/${String(body.id)}`;
  expect((await api.ask(path)).body).not.toHaveProperty('lastUsedAt');
  await Promise.all(Array.from({ length: 20 }, () => reading(body.key)));
  const used = async (): Promise<string> => String((await api.ask(path)).body.lastUsedAt ?? '');
  await until(async () => (await used()) !== '', 'it is written down', 6_000);
  expect(Math.abs(Date.now() - Date.parse(await used()))).toBeLessThan(10_000);
});
