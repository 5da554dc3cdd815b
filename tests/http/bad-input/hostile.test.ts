import { describe, expect, it } from 'vitest';
import { FIELD_ERRORS_MAX } from '../../../core/kernel/field-errors.ts';
import { expectProblem, freshKey, pointersOf, useApi } from '../../support/api.ts';
import { credit } from './corpus.ts';

const api = useApi();
const BULK = '/v1/operations/bulk';
const KB = 1_024;
const members = (count: number, value: string): string =>
  Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join(',');

describe('an answer is not as large as what was sent', () => {
  it.each(['/v1/credits', '/v1/operations', '/v1/templates', '/v1/webhook-endpoints'])(
    'for 80,000 unknown members at %s',
    async (path) => {
      const answer = await api.post(path, `{${members(80_000, '1')}}`);
      expectProblem(answer, 400, 'invalid_request');
      expect(answer.text.length).toBeLessThan(10 * KB);
    },
  );

  it('for as many unknown members as an object may have, beside and inside the input', async () => {
    const many = members(900, '1');
    const body = `{"type":"wallet.credit","input":{${many}},${many}}`;
    const answer = await api.post('/v1/operations', body);
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toHaveLength(FIELD_ERRORS_MAX);
    expect(answer.text.length).toBeLessThan(20 * KB);
  });

  it('for a name, or a type, of 800 kB', async () => {
    const long = 'x'.repeat(800 * KB);
    for (const body of [credit({ [long]: 1 }), { type: 'wallet.credit', [long]: 1 }]) {
      const answer = await api.post('/v1/operations', body);
      expectProblem(answer, 400, 'invalid_request');
      expect(answer.text.length).toBeLessThan(10 * KB);
    }
    expect((await api.post('/v1/operations', { type: long })).text.length).toBeLessThan(10 * KB);
    const key = { headers: { 'idempotency-key': freshKey() } };
    await api.post('/v1/operations', credit(), key);
    const other = { ...credit(), metadata: { a: 'b' } };
    expect((await api.post('/v1/operations', other, key)).text.length).toBeLessThan(10 * KB);
  });

  it('for a bulk of a thousand bad items', async () => {
    const bad = members(90, '1');
    const items = Array.from(
      { length: 1_000 },
      () => `{"type":"wallet.credit","idempotencyKey":"${freshKey()}","input":{${bad}}}`,
    );
    const answer = await api.post(BULK, `[${items.join(',')}]`);
    expect(answer.body).toMatchObject({ accepted: 0, refused: 1_000 });
    expect(answer.text.length).toBeLessThan(600 * KB);
    const [first, last] = [answer.body.results[0], answer.body.results[999]] as const;
    expect(first.problem.errors.length).toBeGreaterThan(1);
    expect(last.problem).toMatchObject({ code: 'invalid_request', detail: expect.any(String) });
  });
});

describe('what was written is what counts, or it is refused', () => {
  it.each([
    ['999999999999999.99', '/amount'],
    ['100000000000000.001', '/amount'],
    ['0.9999999999999999999', '/amount'],
    ['1e-400', '/amount'],
    ['"1","amount":"999"', '/amount'],
    ['1,"\\u0061mount":1', '/amount'],
  ])('an amount of %s', async (amount, pointer) => {
    const before = await api.effects();
    const body = `{"userId":"ann","currency":"EUR","amount":${amount}}`;
    const answer = await api.post('/v1/credits', body);
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(await api.effects()).toEqual(before);
  });

  it('in the data of a notification, of a template and of a signal', async () => {
    const before = await api.effects();
    const send =
      '{"channels":["email"],"email":"a@b.de","template":"x","data":{"n":9007199254740993}}';
    const preview = '{"name":"x","channel":"email","data":{"n":9007199254740993}}';
    const signal = `/v1/operations/op_${'0'.repeat(32)}/signals/risk-decision`;
    for (const [path, body, pointer] of [
      ['/v1/notifications', send, '/data/n'],
      ['/v1/templates/preview', preview, '/data/n'],
      [signal, '{"n":9007199254740993}', '/n'],
    ] as const) {
      const answer = await api.post(path, body);
      expectProblem(answer, 400, 'invalid_request');
      expect(pointersOf(answer)).toEqual([pointer]);
      expect(answer.body.detail).toContain('send it as a string');
    }
    expect(await api.effects()).toEqual(before);
  });

  it('in every item of a bulk request', async () => {
    const before = await api.operations();
    const item = JSON.stringify({ ...credit(), idempotencyKey: freshKey() });
    const body = `[${item.replace(/"amount":[^,}]+/, '"amount":0.9999999999999999999')}]`;
    const answer = await api.post(BULK, body);
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual(['/0/input/amount']);
    expect(await api.operations()).toBe(before);
  });
});
