import { describe, expect, it } from 'vitest';
import { type ApiUnderTest, expectProblem, useApi } from '../../support/api.ts';

/** Without a worker what is accepted stays so. */
const api = useApi();

const accept = async (from: ApiUnderTest): Promise<string> => {
  const input = { userId: 'ann', currency: 'EUR', amount: 1 };
  const { body } = await from.post('/v1/credits', input);
  return String(body.id);
};

describe('POST /v1/operations/{id}/cancel', () => {
  it('cancels what nobody has begun, once, and records the event', async () => {
    const id = await accept(api);
    const first = await api.post(`/v1/operations/${id}/cancel`, undefined);
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ id, status: 'canceled', completedAt: expect.any(String) });
    const again = await api.post(`/v1/operations/${id}/cancel`, undefined);
    expect(again.body).toEqual(first.body);
    const rows = await api.db.collection('outbox').find({ 'events.operationId': id }).toArray();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      tenantId: 'default',
      events: [
        { id: expect.stringMatching(`^${id}\\.`), name: 'operation.canceled', operationId: id },
      ],
    });
    const stored = await api.db.collection('operations').findOne<object>({ _id: id as never });
    expect(stored).toMatchObject({ status: 'canceled', epoch: 1 });
    expect(stored).not.toHaveProperty('nextCheckAt');
  });

  it('wakes the request that waits for the outcome', async () => {
    const headers = { prefer: 'wait=20', 'idempotency-key': 'cancel-wait' };
    const input = { userId: 'ann', currency: 'EUR', amount: 1 };
    const waiting = api.post('/v1/credits', input, { headers });
    const find = async () =>
      (await api.ask('/v1/operations?idempotencyKey=cancel-wait')).body.items[0]?.id as unknown;
    await expect.poll(find, { timeout: 10_000 }).toBeDefined();
    await api.post(`/v1/operations/${String(await find())}/cancel`, undefined);
    const answer = await waiting;
    expect(answer).toMatchObject({ status: 200, body: { status: 'canceled' } });
  });

  it('refuses what has moved on', async () => {
    const id = await accept(api);
    const status = 'succeeded';
    await api.db.collection('operations').updateOne({ _id: id as never }, { $set: { status } });
    const answer = await api.post(`/v1/operations/${id}/cancel`, undefined);
    expectProblem(answer, 409, 'not_cancelable');
    expect(answer.body.operationId).toBe(id);
  });

  it.each(['op_00000000000000000000000000000000', 'everything', '..%2f'])(
    'does not know %s',
    async (id) => {
      expectProblem(await api.post(`/v1/operations/${id}/cancel`, undefined), 404, 'not_found');
    },
  );

  it('many at once cancel it once', async () => {
    const id = await accept(api);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.post(`/v1/operations/${id}/cancel`, undefined)),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const events = { 'events.operationId': id };
    expect(await api.db.collection('outbox').countDocuments(events)).toBe(1);
  });
});
