import { describe, expect, it } from 'vitest';
import { type Answer, expectProblem, freshKey, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
const BULK = '/v1/operations/bulk';

interface Result {
  readonly index: number;
  readonly status: number;
  readonly replayed?: boolean;
  readonly operation?: { readonly id: string; readonly status: string };
  readonly problem?: { readonly code: string };
}
const resultsOf = ({ body }: Answer) => body.results as readonly Result[];

const item = (extra: object = {}) => ({
  type: 'wallet.credit',
  idempotencyKey: freshKey(),
  input: { userId: 'bulk', currency: 'EUR', amount: 1 },
  ...extra,
});

describe('POST /v1/operations/bulk', () => {
  it('has one result per item, in order, and refuses only the bad ones', async () => {
    const known = item();
    await api.post(BULK, [known]);
    const answer = await api.post(BULK, [
      item(),
      item({ idempotencyKey: undefined }),
      item({ input: { userId: 'bulk', currency: 'EUR', amount: -1 } }),
      known,
      { ...known, input: { ...known.input, amount: 9 } },
      item({ type: 'nothing' }),
      7,
      item(),
    ]);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 3, refused: 5 });
    const codes = resultsOf(answer).map(({ index, status, replayed, problem }) => ({
      index,
      status,
      ...(replayed === true && { replayed }),
      ...(problem !== undefined && { code: problem.code }),
    }));
    expect(codes).toEqual([
      { index: 0, status: 202 },
      { index: 1, status: 400, code: 'idempotency_key_required' },
      { index: 2, status: 400, code: 'invalid_request' },
      { index: 3, status: expect.any(Number), replayed: true },
      { index: 4, status: 409, code: 'idempotency_conflict' },
      { index: 5, status: 400, code: 'unknown_operation_type' },
      { index: 6, status: 400, code: 'invalid_request' },
      { index: 7, status: 202 },
    ]);
    expect(answer.body.results[2].problem).toMatchObject({
      type: '/problems/invalid_request',
      instance: `${BULK}#/2`,
      errors: [{ pointer: '/input/amount' }],
    });
    expect(answer.body.results[4].problem.operationId).toBe(answer.body.results[3].operation.id);
  });

  it('takes NDJSON and answers the same', async () => {
    const lines = [item(), item({ type: 'nothing' }), item()].map((one) => JSON.stringify(one));
    const answer = await api.post(BULK, `${lines.join('\r\n')}\n`, {
      headers: { 'content-type': 'application/x-ndjson; charset=utf-8' },
    });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 2, refused: 1 });
  });

  it('settles 1,000 of them in order and waits for all when asked to', async () => {
    await succeed(api, '/v1/users', { userId: 'thousand', wallets: [{ currency: 'EUR' }] });
    const input = { userId: 'thousand', currency: 'EUR', amount: 1 };
    const items = Array.from({ length: 1_000 }, () => item({ input }));
    const headers = { prefer: 'wait=30, return=minimal' };
    const answer = await api.post(BULK, items, { headers });
    expect(answer.headers.get('preference-applied')).toBe('wait=30, return=minimal');
    expect({ status: answer.status, accepted: answer.body.accepted }).toEqual({
      status: 200,
      accepted: 1_000,
    });
    const operations = resultsOf(answer).map(({ operation }) => operation);
    expect(new Set(operations.map((one) => one?.status))).toEqual(new Set(['succeeded']));
    const { body: wallets } = await api.ask('/v1/users/thousand/wallets');
    expect(wallets.items[0]).toMatchObject({ balance: '1000', seq: 1_000 });
    const { body: last } = await api.ask(`/v1/wallets/${wallets.items[0].id}/transactions?limit=3`);
    const lastThree = operations.slice(-3).reverse();
    expect(last.items).toMatchObject(lastThree.map((one) => ({ operationId: one?.id })));
  });

  it('knows an item that stands there twice', async () => {
    const twice = item();
    const { body } = await api.post(BULK, [twice, twice]);
    expect(body.results[1]).toMatchObject({ replayed: true });
    expect(body.results[1].operation.id).toBe(body.results[0].operation.id);
  });

  it('is 200 when nothing was accepted', async () => {
    const before = await api.operations();
    const answer = await api.post(BULK, [item({ type: 'nothing' })]);
    expect(answer).toMatchObject({ status: 200, body: { accepted: 0, refused: 1 } });
    expect(await api.operations()).toBe(before);
  });

  it('refuses the whole request when no line is JSON', async () => {
    const before = await api.operations();
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await api.post(BULK, 'nonsense\nmore of it', { headers });
    expectProblem(answer, 400, 'invalid_json');
    expect(await api.operations()).toBe(before);
  });
});
