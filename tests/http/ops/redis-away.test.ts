import { describe, expect, it, onTestFinished } from 'vitest';
import { type ApiUnderTest, openApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { type OwnRedis, startOwnRedis } from '../../support/redis-server.ts';

const open = { key: null } as const;
type States = Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
const states = async (api: ApiUnderTest): Promise<States> =>
  (await api.ask('/readyz', open)).body.dependencies as States;

async function openBoth(): Promise<{ api: ApiUnderTest; redis: OwnRedis }> {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  const env = { REDIS_PUB_URL: redis.url };
  const api = await openApi(nameOfTest(), { worker: true, env });
  onTestFinished(() => api.close());
  return { api, redis };
}

describe('without the Redis that carries hints', () => {
  it('a waiting request gets its answer all the same', async () => {
    const { api, redis } = await openBoth();
    await succeed(api, '/v1/users', { userId: 'ann', wallets: [{ currency: 'EUR' }] });
    await redis.stop();
    const startedMs = performance.now();
    await succeed(api, '/v1/credits', { userId: 'ann', currency: 'EUR', amount: 1 });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('readyz says so, and only counts what is asked for', async () => {
    const { api, redis } = await openBoth();
    await redis.stop();
    const isOk = async (): Promise<unknown> => (await states(api))['redis-pub']?.ok;
    await expect.poll(isOk, { timeout: 10_000 }).toBe(false);
    const answer = await api.ask('/readyz', open);
    expect(answer).toMatchObject({
      status: 503,
      body: {
        status: 'not ready',
        dependencies: {
          mongodb: { ok: true },
          'redis-queue': { ok: true },
          'redis-pub': { ok: false, reason: expect.stringContaining('not connected') },
        },
      },
    });
    expect((await api.ask('/readyz?require=mongodb,redis-queue', open)).status).toBe(200);
    await redis.start();
    await expect.poll(isOk, { timeout: 10_000 }).toBe(true);
  });
});

describe('with a Redis for jobs that may evict them', () => {
  it('readyz says what is wrong', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const api = await openApi(nameOfTest(), { env: { REDIS_QUEUE_URL: redis.url } });
    onTestFinished(() => api.close());
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const read = async (): Promise<unknown> => (await states(api))['redis-queue'];
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({
      ok: false,
      reason: 'maxmemory-policy is allkeys-lru; jobs need noeviction',
    });
  });
});

describe('without the Redis for jobs', () => {
  it('operations are accepted and wait for it', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const api = await openApi(nameOfTest(), { env: { REDIS_QUEUE_URL: redis.url } });
    onTestFinished(() => api.close());
    await redis.stop();
    const { status, body } = await api.post('/v1/users', { userId: 'ann' });
    expect(status).toBe(202);
    expect(await api.ask(`/v1/operations/${body.id}`)).toMatchObject({
      status: 200,
      body: { status: 'accepted' },
    });
    expect((await api.ask('/internal/autoscale', open)).status).toBe(503);
    expect((await api.ask('/metrics', open)).status).toBe(200);
  });
});
