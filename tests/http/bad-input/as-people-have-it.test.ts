import { describe, expect, it } from 'vitest';
import { type Answer, expectProblem, freshKey, pointersOf, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
const BULK = '/v1/operations/bulk';
const NDJSON = { 'content-type': 'application/x-ndjson' };

const idsOf = ({ body }: Pick<Answer, 'body'>): readonly string[] =>
  (body.items as readonly { readonly id: string }[]).map(({ id }) => id);

const credit = (userId: string, extra: object = {}) => ({
  type: 'wallet.credit',
  input: { userId, currency: 'EUR', amount: 1 },
  ...extra,
});

async function newUser(userId: string, extra: object = {}): Promise<string> {
  await succeed(api, '/v1/users', { userId, wallets: [{ currency: 'EUR' }], ...extra });
  return userId;
}

const change = (userId: string, input: object) =>
  succeed(api, '/v1/operations', { type: 'user.update', input: { userId, ...input } });

describe('an idempotency key', () => {
  it('is the same key in quotes and without, in the header, in a bulk item and in a filter', async () => {
    const key = freshKey();
    const headers = { 'idempotency-key': `"${key}"` };
    const first = await api.post('/v1/operations', credit('ann'), { headers });
    for (const idempotencyKey of [key, `"${key}"`]) {
      const { body } = await api.post(BULK, [credit('ann', { idempotencyKey })]);
      expect(body.results[0]).toMatchObject({ replayed: true, operation: { id: first.body.id } });
      const found = await api.ask(
        `/v1/operations?idempotencyKey=${encodeURIComponent(idempotencyKey)}`,
      );
      expect(idsOf(found)).toEqual([first.body.id]);
    }
  });
  it('whose quote is not closed is refused in a bulk item as in the header', async () => {
    const { body } = await api.post(BULK, [credit('ann', { idempotencyKey: '"open' })]);
    expect(body.results[0]).toMatchObject({
      status: 400,
      problem: { code: 'idempotency_key_invalid', errors: [{ pointer: '/idempotencyKey' }] },
    });
  });
});

describe('a bulk request of lines', () => {
  it('passes over blank lines, and a bad line hurts itself alone', async () => {
    const line = () => JSON.stringify(credit('ann', { idempotencyKey: freshKey() }));
    const text = `\ufeff${line()}\r\n\r\n{"type": \n   \n${line()}\n\n`;
    const { status, body } = await api.post(BULK, text, { headers: NDJSON });
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 2, refused: 1 });
    expect(body.results).toMatchObject([
      { index: 0, operation: { type: 'wallet.credit' } },
      { index: 1, status: 400, problem: { code: 'invalid_json', errors: [{ pointer: '/1' }] } },
      { index: 2, operation: { type: 'wallet.credit' } },
    ]);
  });
});

describe('a field of a user', () => {
  it('is removed by null: a contact, a preference, quiet hours, devices, the name', async () => {
    const userId = await newUser('ada', {
      displayName: 'Ada',
      contacts: { email: 'ada@bücher.example', phone: null, locale: 'en' },
    });
    const quietHours = { from: '22:00', to: '07:00', zone: 'Europe/Berlin' };
    const pushTargets = [{ kind: 'fcm', token: 'a-long-secret-token' }];
    await change(userId, { quietHours, pushTargets, notifications: { sms: false, email: true } });
    const before = await api.ask(`/v1/users/${userId}`);
    expect(before.body).toMatchObject({
      id: userId,
      userId,
      displayName: 'Ada',
      contacts: { email: 'ada@bücher.example', locale: 'en' },
      notifications: { sms: false, email: true },
      quietHours,
      pushTargets: [{ kind: 'fcm', token: '…-token' }],
    });
    await change(userId, {
      displayName: null,
      contacts: { email: null },
      notifications: { sms: null },
      quietHours: null,
      pushTargets: null,
    });
    const { body } = await api.ask(`/v1/users/${userId}`);
    expect(body).toMatchObject({ contacts: { locale: 'en' }, notifications: { email: true } });
    expect(body.contacts).toEqual({ locale: 'en' });
    expect(body.notifications).toEqual({ email: true });
    for (const name of ['displayName', 'quietHours', 'pushTargets']) {
      expect(body).not.toHaveProperty(name);
    }
    await change(userId, { contacts: null, notifications: null });
    const bare = await api.ask(`/v1/users/${userId}`);
    expect(bare.body).not.toHaveProperty('contacts');
    expect(bare.body).not.toHaveProperty('notifications');
  });
});

describe('an id with a plus', () => {
  it('is found whether or not the client encodes it', async () => {
    const [plus, other] = [await newUser('ada+shop'), await newUser('bob+shop')];
    await succeed(api, '/v1/credits', { userId: plus, currency: 'EUR', amount: 5 });
    const transfer = { fromUserId: plus, toUserId: other, currency: 'EUR', amount: 5 };
    await succeed(api, '/v1/transfers', transfer);
    for (const query of ['fromUserId=ada+shop', 'fromUserId=ada%2Bshop', 'userId=bob+shop']) {
      const { body } = await api.ask(`/v1/transfers?${query}`);
      expect(body.items, query).toMatchObject([{ fromUserId: plus, toUserId: other }]);
    }
  });
});

describe('a hold', () => {
  const place = async (userId: string): Promise<string> => {
    const placed = { userId, currency: 'EUR', amount: 10 };
    const { result } = await succeed(api, '/v1/holds', placed);
    return String(result.holdId);
  };
  it('is captured without naming the currency that it has, and released without a body', async () => {
    const [payer, payee] = [await newUser('payer'), await newUser('payee')];
    await succeed(api, '/v1/credits', { userId: payer, currency: 'EUR', amount: 20 });
    const captured = await succeed(api, `/v1/holds/${await place(payer)}/capture`, {
      toUserId: payee,
    });
    expect(captured.result).toMatchObject({ amount: '10', left: '0' });
    const { body } = await api.ask(`/v1/users/${payee}/wallets`);
    expect(body.items).toMatchObject([{ currency: 'EUR', balance: '10' }]);
    const released = await api.ask(`/v1/holds/${await place(payer)}/release`, {
      method: 'POST',
      headers: { 'idempotency-key': freshKey(), prefer: 'wait=20' },
    });
    expect(released.body).toMatchObject({ type: 'hold.release', status: 'succeeded' });
  });
});

describe('what is told', () => {
  it('is in our own words, also where the library found the fault', async () => {
    const answer = await api.post('/v1/operations', {
      type: 'user.update',
      input: { userId: 'ann', status: 'gone', displayName: '' },
    });
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual(['/input/displayName', '/input/status']);
    expect(answer.body.errors).toMatchObject([
      { pointer: '/input/displayName', detail: 'must have at least 1 character' },
      { pointer: '/input/status', detail: 'must be one of: active, blocked' },
    ]);
  });
  it('is no error to whoever has sent no key at all', async () => {
    const none = await api.ask('/v1/users', { key: null });
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="sluice"');
    const bad = await api.ask('/v1/users', { key: 'slk_x' });
    expect(bad.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
  it('takes utf8 for what it means', async () => {
    const headers = { 'content-type': 'application/json; charset=utf8' };
    const answer = await api.post('/v1/operations', credit('ann'), { headers });
    expect(answer.status).toBe(202);
  });
  it('lists users page by page, and the texts that are built in', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 20; page += 1) {
      const { body } = await api.ask(`/v1/users?limit=2${cursor}`);
      seen.push(...idsOf({ body }));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toContain('ada+shop');
    expect(seen).toEqual([...new Set(seen)].sort());
    const { body } = await api.ask('/v1/templates?origin=built-in&name=user.created');
    expect(body.items).toMatchObject([{ name: 'user.created', subject: 'Welcome' }]);
  });
});
