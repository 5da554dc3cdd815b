import { describe, expect, it } from 'vitest';
import { expectProblem, pointersOf, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });

const credit = (userId: string, amount: unknown = '100') => ({
  type: 'wallet.credit',
  input: { userId, currency: 'EUR', amount },
});

const bodyOf = (operationId: string): string => operationId.slice('op_'.length);

async function newUser(userId: string): Promise<string> {
  await succeed(api, '/v1/users', { userId, wallets: [{ currency: 'EUR' }] });
  return userId;
}

describe('POST /v1/operations', () => {
  it('answers 202 with the stored operation and where to find it', async () => {
    const answer = await api.post('/v1/operations', {
      ...credit('nobody', 5),
      metadata: { order: '42' },
      preconditions: {
        ifAvailableAtLeast: 1,
        ifWalletSeq: 3,
        expiresAt: '2099-01-01T00:00:00+01:00',
      },
    });
    expect(answer.status).toBe(202);
    const { id } = answer.body;
    expect(answer.headers.get('location')).toBe(`/v1/operations/${id}`);
    expect(answer.headers.get('preference-applied')).toBeNull();
    expect(answer.headers.get('idempotent-replayed')).toBeNull();
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^op_[0-9a-f]{32}$/),
      type: 'wallet.credit',
      status: 'accepted',
      input: { userId: 'nobody', currency: 'EUR', amount: '5' },
      preconditions: {
        ifAvailableAtLeast: '1',
        ifWalletSeq: 3,
        expiresAt: '2098-12-31T23:00:00.000Z',
      },
      deadline: '2098-12-31T23:00:00.000Z',
      metadata: { order: '42' },
      idempotencyKey: expect.any(String),
      correlationId: answer.headers.get('x-correlation-id'),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      links: { self: `/v1/operations/${id}`, timeline: `/v1/operations/${id}/timeline` },
    });
  });

  it('carries the correlation id and the trace into the record and the job', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-correlation-id': 'order-7', traceparent };
    const { body } = await api.post('/v1/operations', credit('nobody'), { headers });
    const stored = await api.db.collection('operations').findOne({ _id: body.id });
    expect(stored).toMatchObject({ correlationId: 'order-7', traceparent });
  });

  it('ignores a trace that is malformed', async () => {
    const headers = { traceparent: '00-xyz-1-01' };
    const { status, body } = await api.post('/v1/operations', credit('nobody'), { headers });
    expect(status).toBe(202);
    expect(await api.db.collection('operations').findOne({ _id: body.id })).not.toHaveProperty(
      'traceparent',
    );
  });

  it('waits for the outcome when asked to', async () => {
    const userId = await newUser('waiting');
    const answer = await api.post('/v1/operations', credit(userId), {
      headers: { prefer: 'respond-async, wait=20' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(answer.body).toMatchObject({ status: 'succeeded', completedAt: expect.any(String) });
  });

  it('says what a refusal was in the same form as a refused request', async () => {
    const userId = await newUser('poor');
    const { status, body } = await api.post(
      '/v1/debits',
      { userId, currency: 'EUR', amount: 1 },
      { headers: { prefer: 'wait=20', 'x-correlation-id': 'try-1' } },
    );
    expect({ status, outcome: body.status }).toEqual({ status: 200, outcome: 'rejected' });
    expect(body.error).toEqual({
      type: '/problems/insufficient_funds',
      title: 'The available balance is too small',
      status: 422,
      detail: expect.stringContaining('1 EUR needed'),
      instance: `/v1/operations/${body.id}`,
      code: 'insufficient_funds',
      retryable: false,
      correlationId: 'try-1',
      operationId: body.id,
    });
    expect(body.result).toBeUndefined();
  });

  it('merges what follows from the input with the stored result', async () => {
    const [payer, payee] = [await newUser('payer'), await newUser('payee')];
    await succeed(api, '/v1/credits', { userId: payer, currency: 'EUR', amount: 10 });
    const money = { currency: 'EUR', amount: 5 };
    const paid = await succeed(api, '/v1/transfers', {
      fromUserId: payer,
      toUserId: payee,
      ...money,
    });
    expect(paid.result).toEqual({ transferId: `trf_${bodyOf(paid.id)}` });
    const held = await succeed(api, '/v1/holds', { userId: payer, ...money });
    expect(held.result).toEqual({ holdId: `hld_${bodyOf(held.id)}` });
    const captured = await succeed(api, `/v1/holds/${held.result.holdId}/capture`, { amount: 2 });
    expect(captured.result).toEqual({ holdId: held.result.holdId, amount: '2', left: '3' });
    const back = await succeed(api, `/v1/transfers/${paid.result.transferId}/reverse`, {});
    expect(back.result).toEqual({ transferId: paid.result.transferId, amount: '5' });
  });

  it('answers briefly when asked to', async () => {
    const headers = { prefer: 'return=minimal' };
    const answer = await api.post('/v1/operations', credit('nobody'), { headers });
    expect(answer.body).toEqual({ id: expect.any(String), status: 'accepted' });
    expect(answer.headers.get('preference-applied')).toBe('return=minimal');
  });

  it('does nothing in a dry run but say what would happen', async () => {
    const userId = await newUser('dry');
    const run = { ...credit(userId), dryRun: true };
    const { body } = await api.post('/v1/operations', run, { headers: { prefer: 'wait=20' } });
    expect(body).toMatchObject({ status: 'succeeded', dryRun: true, result: { dryRun: true } });
    const { body: wallets } = await api.ask(`/v1/users/${userId}/wallets`);
    expect(wallets.items[0]).toMatchObject({ balance: '0', seq: 0 });
  });

  it("takes a tenant's own currencies, from that tenant only", async () => {
    await api.newTenant('gamer', ['GOLD']);
    const key = await api.newKey({ tenantId: 'gamer', scopes: ['operations:write'] });
    const user = { userId: 'u', wallets: [{ currency: 'GOLD' }] };
    expect((await api.post('/v1/users', user, { key })).status).toBe(202);
    const refused = await api.post('/v1/users', user);
    expectProblem(refused, 400, 'invalid_request');
    expect(pointersOf(refused)).toEqual(['/wallets/0/currency']);
  });
});

describe('the same key again', () => {
  it('gets the stored operation, marked as replayed, with the status of its state', async () => {
    const userId = await newUser('again');
    const headers = { 'idempotency-key': 'again-1' };
    const first = await api.post('/v1/operations', credit(userId), { headers });
    const waiting = { ...headers, prefer: 'wait=20' };
    const second = await api.post('/v1/operations', credit(userId), { headers: waiting });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect({ status: second.status, id: second.body.id }).toEqual({
      status: 200,
      id: first.body.id,
    });
    const third = await api.post('/v1/operations', credit(userId), { headers });
    expect(third).toMatchObject({ status: 200, body: { id: first.body.id, status: 'succeeded' } });
    const { body } = await api.ask(`/v1/users/${userId}/wallets`);
    expect(body.items[0].balance).toBe('100');
  });

  it('is the same key in quotes, and through an alias', async () => {
    const input = { userId: 'nobody', currency: 'EUR', amount: 3 };
    const first = await api.post('/v1/credits', input, { headers: { 'idempotency-key': 'q"1' } });
    const quoted = { 'idempotency-key': '"q\\"1"' };
    const second = await api.post('/v1/operations', credit('nobody', '3'), { headers: quoted });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body.id).toBe(first.body.id);
  });

  it('with another request is a conflict that names what differs', async () => {
    const headers = { 'idempotency-key': 'conflict-1' };
    const { body: first } = await api.post('/v1/operations', credit('nobody'), { headers });
    const before = await api.operations();
    const answer = await api.post(
      '/v1/operations',
      { ...credit('nobody', '7'), metadata: { a: 'b' } },
      { headers },
    );
    expectProblem(answer, 409, 'idempotency_conflict');
    expect(pointersOf(answer)).toEqual(['/input/amount', '/metadata']);
    expect(answer.body.operationId).toBe(first.id);
    expect(await api.operations()).toBe(before);
  });

  it('belongs to one tenant', async () => {
    await api.newTenant('twin');
    const key = await api.newKey({ tenantId: 'twin', scopes: ['operations:write'] });
    const headers = { 'idempotency-key': 'shared-1' };
    const mine = await api.post('/v1/operations', credit('nobody'), { headers });
    const theirs = await api.post('/v1/operations', credit('other'), { headers, key });
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('still gets its answer when the deadline has passed meanwhile', async () => {
    const headers = { 'idempotency-key': 'late-1' };
    const expiresAt = new Date(Date.now() + 700).toISOString();
    const request = { ...credit('nobody'), preconditions: { expiresAt } };
    const first = await api.post('/v1/operations', request, { headers });
    expect(first.status).toBe(202);
    await expect.poll(() => Date.now() > Date.parse(expiresAt)).toBe(true);
    const again = await api.post('/v1/operations', request, { headers });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body.id).toBe(first.body.id);
    expectProblem(await api.post('/v1/operations', request), 400, 'invalid_request');
  });
});
