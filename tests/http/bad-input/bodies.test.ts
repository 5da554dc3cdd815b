import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { ADMIN_KEY, expectProblem, freshKey, pointersOf, useApi } from '../../support/api.ts';
import { BAD_REQUESTS, credit } from './corpus.ts';

const api = useApi();

describe('a request that is refused has no effect', () => {
  it.each(BAD_REQUESTS)('$name: $code', async ({ path, body, headers, status, code, pointer }) => {
    const before = await api.effects();
    const answer = await api.post(path ?? '/v1/operations', body, headers && { headers });
    expectProblem(answer, status ?? 400, code);
    if (pointer !== undefined) {
      expect(pointersOf(answer)).toContain(pointer);
    }
    expect(answer.body.retryable).toBe(false);
    expect(await api.effects()).toEqual(before);
  });

  it('names everything that is wrong at once', async () => {
    const answer = await api.post(
      '/v1/operations',
      credit({ amount: 0, currency: 'x', extra: 1 }, { dryRun: 'yes', other: 1 }),
    );
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual([
      '/dryRun',
      '/input/amount',
      '/input/currency',
      '/input/extra',
      '/other',
    ]);
  });

  it('takes a body of exactly 1 MB', async () => {
    const text = JSON.stringify(credit());
    const body = text + ' '.repeat(LIMITS.bodyBytesMax - text.length);
    expect((await api.post('/v1/operations', body)).status).toBe(202);
  });

  it('refuses a long body that does not say its length', async () => {
    const before = await api.effects();
    const chunk = new Uint8Array(100_000).fill(0x20);
    const body = new ReadableStream({
      start: (stream) => {
        for (let sent = 0; sent < 12; sent += 1) stream.enqueue(chunk);
        stream.close();
      },
    });
    const request: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'content-type': 'application/json',
        'idempotency-key': freshKey(),
      },
    };
    const response = await fetch(`${api.url}/v1/operations`, request);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'body_too_large' });
    expect(await api.effects()).toEqual(before);
  });
});
