import { beforeAll, describe, expect, it } from 'vitest';
import {
  ADMIN_PASSWORD,
  type Answer,
  type Ask,
  expectProblem,
  freshKey,
  useApi,
} from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
let cookie = '';

beforeAll(async () => {
  cookie = await signIn();
  await api.newTenant('second');
  await succeed(api, '/v1/users', { userId: 'ann', wallets: [{ currency: 'EUR' }] });
});

async function signIn(): Promise<string> {
  const answer = await api.ask('/admin/login', {
    key: null,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ password: ADMIN_PASSWORD }).toString(),
  });
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

const CONSOLE = { 'sluice-console': '1' };

/** As the console asks, in a browser of somebody who has signed in. */
function asOperator(path: string, { headers, ...ask }: Ask = {}): Promise<Answer> {
  const isRead = (ask.method ?? 'GET') === 'GET';
  return api.ask(path, {
    key: null,
    ...ask,
    headers: {
      cookie,
      ...CONSOLE,
      ...(!isRead && { origin: api.url, 'idempotency-key': freshKey() }),
      ...headers,
    },
  });
}

const credit = { userId: 'ann', currency: 'EUR', amount: 5 };

describe('an operator', () => {
  it('reads and writes what a key of the tenant may', async () => {
    const users = await asOperator('/v1/users');
    expect(users.status).toBe(200);
    expect(users.body.items).toEqual([expect.objectContaining({ userId: 'ann' })]);
    const made = await asOperator('/v1/credits', {
      method: 'POST',
      body: credit,
      headers: { prefer: 'wait=20' },
    });
    expect({ status: made.status, outcome: made.body.status }).toEqual({
      status: 200,
      outcome: 'succeeded',
    });
  });

  it('names the tenant in a header; one that is not there is not found', async () => {
    const second = await asOperator('/v1/users', { headers: { 'sluice-tenant': 'second' } });
    expect(second.body.items).toEqual([]);
    const before = await api.effects();
    for (const tenant of ['nobody', '{"$ne":1}', 'default, second']) {
      const answer = await asOperator('/v1/users', { headers: { 'sluice-tenant': tenant } });
      expectProblem(answer, 404, 'tenant_not_found');
    }
    expect(await api.effects()).toEqual(before);
  });

  it.each(['provisioning', 'abandoned'])('finds no tenant that is %s', async (status) => {
    await api.newTenant(status);
    await api.db.collection('tenants').updateOne({ _id: status as never }, { $set: { status } });
    const answer = await asOperator('/v1/users', { headers: { 'sluice-tenant': status } });
    expectProblem(answer, 404, 'tenant_not_found');
  });

  it('is named in the audit', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const made = await asOperator('/v1/operations', {
      method: 'POST',
      body: { type: 'wallet.credit', input: credit, runAt: later },
    });
    const path = `/v1/operations/${String(made.body.id)}`;
    const canceled = await asOperator(`${path}/cancel`, { method: 'POST' });
    expect(canceled.body.status).toBe('canceled');
    const { body } = await asOperator(`${path}/timeline`);
    expect(body.events).toContainEqual(
      expect.objectContaining({ event: 'cancel.requested', actor: 'operator:admin' }),
    );
  });

  it('is nobody after signing out', async () => {
    const own = await signIn();
    const headers = { cookie: own };
    expect((await asOperator('/v1/users', { headers })).status).toBe(200);
    const { body } = await api.ask('/admin/session', { key: null, headers });
    await api.ask('/admin/logout', {
      key: null,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: String(body.formToken) }).toString(),
    });
    expectProblem(await asOperator('/v1/users', { headers }), 401, 'unauthenticated');
  });
});

describe('a cookie', () => {
  const post = (headers: Readonly<Record<string, string>>): Promise<Answer> =>
    api.ask('/v1/credits', {
      key: null,
      method: 'POST',
      body: credit,
      headers: { cookie, 'idempotency-key': freshKey(), ...headers },
    });

  it.each([
    ['without the header of the console', {}],
    ['with another value in it', { 'sluice-console': 'yes' }],
    [
      'beside a key that is none',
      { ...CONSOLE, authorization: 'Bearer slk_nobody_xxxxxxxxxxxxxxxx' },
    ],
  ])('%s is as nobody', async (_name, headers: Record<string, string>) => {
    const before = await api.effects();
    expectProblem(await post({ origin: api.url, ...headers }), 401, 'unauthenticated');
    expectProblem(
      await api.ask('/v1/users', { key: null, headers: { cookie, ...headers } }),
      401,
      'unauthenticated',
    );
    expect(await api.effects()).toEqual(before);
  });

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['no origin at all', {}],
    ['a site beside it', { 'sec-fetch-site': 'same-site' }],
  ])('does not write for %s', async (_name, headers: Record<string, string>) => {
    const before = await api.effects();
    const own = 'sec-fetch-site' in headers ? { origin: api.url } : {};
    expectProblem(await post({ ...CONSOLE, ...own, ...headers }), 403, 'forbidden');
    expect(await api.effects()).toEqual(before);
  });

  it('does not even read for another site', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expectProblem(await asOperator('/v1/users', { headers }), 403, 'forbidden');
    }
  });

  it('that is forged is as nobody', async () => {
    const headers = { cookie: `${cookie}x` };
    expectProblem(await asOperator('/v1/users', { headers }), 401, 'unauthenticated');
  });

  it('changes nothing for who has a key', async () => {
    const key = await api.newKey({ tenantId: 'second', scopes: ['ledger:read'] });
    const headers = { cookie, ...CONSOLE, 'sluice-tenant': 'default' };
    const answer = await api.ask('/v1/users', { key, headers });
    expect(answer.body.items).toEqual([]); // of its own tenant
    expectProblem(await api.post('/v1/credits', credit, { key, headers }), 403, 'forbidden');
  });
});
