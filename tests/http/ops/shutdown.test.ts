import { describe, expect, it, onTestFinished } from 'vitest';
import { openApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';

describe('a process that is told to stop', () => {
  it('answers the requests that wait, accepts what has arrived, and listens no more', async () => {
    const api = await openApi(nameOfTest()); // no worker: nothing settles
    onTestFinished(() => api.close());
    const input = { userId: 'ann', currency: 'EUR', amount: 1 };
    const waiting = api.post('/v1/credits', input, { headers: { prefer: 'wait=30' } });
    await expect.poll(() => api.operations(), { timeout: 10_000 }).toBe(1);
    const startedMs = performance.now();
    const closing = api.close();
    const answer = await waiting;
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(answer.headers.get('preference-applied')).toBeNull();
    await closing;
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await expect(api.ask('/healthz', { key: null })).rejects.toThrow();
  });
});
