import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, expectProblem, freshKey, useApi } from '../../support/api.ts';

const api = useApi();
let acme = '';

beforeAll(async () => {
  await api.newTenant('acme');
  acme = await api.newKey({ tenantId: 'acme', scopes: ['admin'] });
});

interface Put {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

function put(path: string, body: unknown, { method = 'PUT', headers, ...ask }: Put = {}) {
  const own = { 'idempotency-key': freshKey(), ...headers };
  return api.ask(path, { method, body, headers: own, ...ask });
}

const valueOf = async (path: string, key?: string) => {
  const answer = await api.ask(path, key === undefined ? {} : { key });
  expect(answer.status).toBe(200);
  const { value, source, version } = answer.body;
  return { value, source, version };
};

const reason = 'a test';

/** Nothing is as it should not be: no document, no history. */
async function storedNow() {
  const docs = await api.db.collection('service_configs').find().toArray();
  const past = await api.db.collection('service_config_history').countDocuments();
  return { docs: docs.filter(({ _id }) => String(_id) !== 'head'), past };
}

describe('a setting', () => {
  it('is set, seen, changed under its version, taken back and rolled back', async () => {
    const path = '/v1/settings/payment.timeoutMs';
    expect(await valueOf(path)).toEqual({ value: 15_000, source: 'default', version: 0 });
    const first = await put(path, { value: 5_000, reason });
    expect(first.status).toBe(200);
    expect(first.headers.get('etag')).toBe('"1"');
    expect(first.body).toMatchObject({
      version: 1,
      changed: true,
      changes: [{ name: 'payment.timeoutMs', after: 5_000 }],
    });
    expect(await valueOf(path)).toEqual({ value: 5_000, source: 'installation', version: 1 });
    expectProblem(await put(path, { value: 6_000, reason, version: 0 }), 409, 'version_conflict');
    const late = await put(path, { value: 6_000, reason }, { headers: { 'if-match': '"7"' } });
    expectProblem(late, 409, 'version_conflict');
    const right = await put(path, { value: 6_000, reason }, { headers: { 'if-match': '"1"' } });
    expect(right.body.version).toBe(2);
    const gone = await api.ask(`${path}?reason=enough`, {
      method: 'DELETE',
      headers: { 'idempotency-key': freshKey() },
    });
    expect(gone.body).toMatchObject({ version: 3, values: {} });
    const back = { toVersion: 1, reason };
    expect((await put('/v1/settings-rollback', back, { method: 'POST' })).body).toMatchObject({
      version: 4,
      values: { 'payment.timeoutMs': 5_000 },
    });
    const { items } = (await api.ask('/v1/settings-history?limit=2')).body;
    expect(items).toMatchObject([
      { version: 4, action: 'rollback', author: 'key:admin', reason },
      { version: 3, action: 'unset', changes: [{ before: 6_000 }] },
    ]);
  });

  it('of a scope goes before that of a wider one', async () => {
    const path = '/v1/settings/delivery.timeoutMs';
    await put(path, { value: 9_000, channel: 'sms', reason });
    await put(path, { value: 4_000, provider: 'twilio', reason });
    await put(path, { value: 2_000, tenant: 'acme', channel: 'sms', reason });
    expect((await valueOf(`${path}?channel=sms`)).value).toBe(9_000);
    expect((await valueOf(`${path}?channel=sms&provider=twilio`)).value).toBe(4_000);
    expect((await valueOf(`${path}?channel=sms&provider=twilio&tenant=acme`)).value).toBe(2_000);
    expect((await valueOf(`${path}?channel=email`)).source).toBe('default');
  });

  it('is changed once, however often the request comes', async () => {
    const path = '/v1/settings/settlement.batchMax';
    const headers = { 'idempotency-key': freshKey() };
    const first = await put(path, { value: 50, reason }, { headers });
    await put(path, { value: 60, reason });
    const again = await put(path, { value: 50, reason }, { headers });
    expect(again.body.version).toBe(first.body.version);
    expect((await valueOf(path)).value).toBe(60);
    expectProblem(await put(path, { value: 51, reason }, { headers }), 409, 'idempotency_conflict');
  });

  it('is rehearsed without an effect', async () => {
    const before = await storedNow();
    const tried = await put('/v1/settings/saga.concurrency', { value: 99, reason, dryRun: true });
    expect(tried.body).toMatchObject({ dryRun: true, changed: false, changes: [{ after: 99 }] });
    expect(await storedNow()).toEqual(before);
  });
});

describe('what makes no sense', () => {
  it.each([
    ['an unknown name', { set: { 'saga.concurency': 9 } }, 'saga.concurrency'],
    ['a wrong type', { set: { 'saga.concurrency': true } }, 'a whole number from 8 to 4096'],
    ['out of bounds', { set: { 'saga.concurrency': 7 } }, 'a whole number from 8 to 4096'],
    ['a broken number', { set: { 'saga.concurrency': 9.5 } }, 'a whole number'],
    ['base above cap', { set: { 'payment.retryBaseMs': 70_000 } }, 'payment.retryCapMs'],
    ['pauses longer than a life', { channel: 'sms', set: { 'delivery.lifeMs': 60_000 } }, 'lifeMs'],
    ['a strange place', { channel: 'sms', set: { 'saga.concurrency': 64 } }, 'may be set for'],
    ['a strange provider', { provider: 'paypal', set: { 'payment.timeoutMs': 900 } }, 'sandbox'],
    ['what is not set', { unset: ['ingest.backlogSampleMs'] }, 'is not set'],
  ])('changes nothing and says what is allowed: %s', async (_what, change, says) => {
    const before = await storedNow();
    const answer = await put('/v1/settings', { ...change, reason });
    expectProblem(answer, 400, 'invalid_setting');
    expect(answer.body.detail).toContain(says);
    expect(await storedNow()).toEqual(before);
  });

  it.each([
    ['no reason', { set: { 'saga.concurrency': 64 } }],
    ['nothing to do', { reason }],
    ['both at once', { set: { 'saga.concurrency': 64 }, unset: ['saga.concurrency'], reason }],
    ['a strange field', { set: { 'saga.concurrency': 64 }, reason, tennant: 'acme' }],
  ])('is refused before that: %s', async (_what, body) => {
    expectProblem(await put('/v1/settings', body), 400, 'invalid_request');
  });

  it('is no tenant, no name, no version', async () => {
    const body = { value: 5_000, reason };
    const path = '/v1/settings/payment.timeoutMs';
    expectProblem(await put(path, { ...body, tenant: 'nobody' }), 404, 'not_found');
    expectProblem(await put('/v1/settings/nothing', body), 404, 'not_found');
    const back = { toVersion: 99, reason };
    const answer = await put('/v1/settings-rollback', back, { method: 'POST' });
    expectProblem(answer, 404, 'not_found');
    const headers = { 'if-match': 'seven' };
    expectProblem(await put(path, body, { headers }), 400, 'invalid_header');
  });

  it('may be put right together', async () => {
    const set = { 'payment.retryBaseMs': 70_000, 'payment.retryCapMs': 90_000 };
    expect((await put('/v1/settings', { set, reason })).status).toBe(200);
    const answer = await put('/v1/settings', { unset: ['payment.retryCapMs'], reason });
    expectProblem(answer, 400, 'invalid_setting');
    const unset = ['payment.retryCapMs', 'payment.retryBaseMs'];
    expect((await put('/v1/settings', { unset, reason })).status).toBe(200);
  });
});

describe('the administrators of a tenant', () => {
  it('set what is theirs, for themselves', async () => {
    const path = '/v1/settings/delivery.jitter';
    const answer = await put(path, { value: 0.5, channel: 'webhook', reason }, { key: acme });
    expect(answer.body.scope).toEqual({ tenant: 'acme', channel: 'webhook' });
    expect((await valueOf(`${path}?channel=webhook`, acme)).value).toBe(0.5);
    expect((await valueOf(`${path}?channel=webhook`)).value).toBe(0.2);
  });

  it('neither set nor see anything else', async () => {
    const before = await storedNow();
    const refused: readonly Answer[] = [
      await put('/v1/settings/saga.concurrency', { value: 64, reason }, { key: acme }),
      await put('/v1/settings/payment.timeoutMs', { value: 900, reason }, { key: acme }),
      await put(
        '/v1/settings/delivery.jitter',
        { value: 0.1, tenant: 'default', reason },
        { key: acme },
      ),
      await api.ask('/v1/settings?tenant=default', { key: acme }),
    ];
    for (const answer of refused) expectProblem(answer, 403, 'forbidden');
    expect(await storedNow()).toEqual(before);
    const { items } = (await api.ask('/v1/settings', { key: acme })).body;
    const scopes = (items as readonly { scopes: readonly string[] }[]).map(
      ({ scopes: all }) => all,
    );
    expect(scopes.length).toBeGreaterThan(5);
    expect(scopes.filter((all) => !all.includes('tenant'))).toEqual([]);
    const { items: past } = (await api.ask('/v1/settings-history', { key: acme })).body;
    const whose = (past as readonly { scope: { tenant: string } }[]).map((one) => one.scope.tenant);
    expect(new Set(whose)).toEqual(new Set(['acme']));
  });
});

describe('twenty changes at once', () => {
  it('are made one after the other, and none is lost', async () => {
    const before = (await valueOf('/v1/settings/api.waitSecondsMax')).version as number;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        put('/v1/settings/api.waitSecondsMax', { value: index + 1, reason }),
      ),
    );
    const versions = answers.map(({ body }) => body.version as number).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => before + 1 + index));
  });
});
