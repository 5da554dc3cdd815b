import { describe, expect, it, onTestFinished } from 'vitest';
import { READ_LIMITS } from '../../../config/read-limits.ts';
import { openRedis } from '../../../core/infra/redis.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import type { WalletDoc } from '../../../core/ledger/documents.ts';
import { openWallet } from '../../../core/ledger/wallet.ts';
import { createWalletCache } from '../../../core/ledger/wallet-cache.ts';
import { putWallets, walletCacheKey } from '../../../core/ledger/wallet-shared-cache.ts';
import { encodeWallet } from '../../../core/ledger/wallet-cache-value.ts';
import { createWalletWriter } from '../../../core/ledger/wallet-writer-cache.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { type OwnRedis, startOwnRedis } from '../../support/redis-server.ts';

const PREFIX = 'cache-test';

function walletOf(seq: number, tenantId = 't'): WalletDoc {
  const at = new Date(0);
  const names = { tenantId, userId: 'ann', currency: 'EUR' };
  const opened = openWallet({ ...names, overdraftLimit: 0n, ownerBlocked: false, at });
  const balance = BigInt(seq) * 10n;
  return { ...opened, seq, balance, totalCredited: balance };
}

const ID = walletOf(0)._id;
const MINE = { tenantId: 't', id: ID };
const NAME = walletCacheKey(PREFIX, 't', ID);

/** A cache over a Redis of its own, with a primary that says what the test tells it to. */
async function openCache(redis: OwnRedis, port?: number) {
  const url = port === undefined ? redis.url : `redis://127.0.0.1:${port}`;
  const use = { url, name: 'test', whenAway: 'fail', onError: () => undefined } as const;
  const connection = openRedis(use);
  onTestFinished(() => connection.disconnect());
  await expect.poll(() => connection.status).toBe('ready');
  const world = { wallet: walletOf(1), nowMs: systemClock.now(), loads: 0 };
  const shared = { prefix: PREFIX, nowMs: async () => world.nowMs, metrics: createMetrics() };
  const writer = createWalletWriter({ ...shared, redis: connection });
  const cacheOf = () =>
    createWalletCache({
      ...shared,
      ...{ writer, readers: [], mainReader: connection, clock: systemClock },
      primary: {
        read: async ({ tenantId }) => {
          world.loads += 1;
          return Promise.resolve(tenantId === 't' ? world.wallet : undefined);
        },
      },
    });
  /** As another process sees it: with nothing in memory. */
  const readAnew = async () => {
    const found = await cacheOf().read(MINE);
    return found && { seq: found.wallet.seq, from: found.from };
  };
  return { world, writer, cacheOf, readAnew };
}

async function ownRedis(): Promise<OwnRedis> {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  return redis;
}

describe('cached wallets', () => {
  it('come from the primary, then from memory, and for others from Redis', async () => {
    const redis = await ownRedis();
    const { cacheOf, readAnew, world } = await openCache(redis);
    const cache = cacheOf();
    const all = await Promise.all(Array.from({ length: 64 }, () => cache.read(MINE)));
    expect(new Set(all.map((one) => one?.wallet.seq))).toEqual(new Set([1]));
    expect(world.loads).toBe(1); // however many ask at once
    expect((await cache.read(MINE))?.from).toBe('memory');
    await expect.poll(() => redis.client.exists(NAME)).toBe(1);
    expect(await redis.client.pttl(NAME)).toBeGreaterThan(0);
    expect(await readAnew()).toEqual({ seq: 1, from: 'redis' });
    expect(await cacheOf().read({ tenantId: 'u', id: ID })).toBeUndefined();
  });

  it('never take an older state for a newer one, in whatever order they are written', async () => {
    const redis = await ownRedis();
    const { readAnew, world } = await openCache(redis);
    const put = (seq: number, atMs = world.nowMs) =>
      putWallets(redis.client, PREFIX, {
        wallets: [{ wallet: walletOf(seq), atMs }],
        nowMs: world.nowMs,
      });
    expect([await put(5), await put(4, world.nowMs + 5), await put(6)]).toEqual([1, 0, 1]);
    expect(await readAnew()).toEqual({ seq: 6, from: 'redis' });
  });

  it.each([
    ['garbage', () => 'garbage'],
    ['a future seq', (text: string) => text.replace('|1|', '|900|')],
    ["another tenant's", () => encodeWallet(NAME, { wallet: walletOf(3, 'u'), atMs: Date.now() })],
    ['a list', () => undefined],
  ])('are read anew and put right where there is %s', async (_what, spoil) => {
    const redis = await ownRedis();
    const { readAnew, world } = await openCache(redis);
    await readAnew();
    await expect.poll(() => redis.client.exists(NAME)).toBe(1);
    const spoilt = spoil((await redis.client.get(NAME)) ?? '');
    await redis.client.del(NAME);
    if (spoilt === undefined) await redis.client.rpush(NAME, 'x');
    else await redis.client.set(NAME, spoilt); // for ever, too
    world.wallet = walletOf(2);
    expect(await readAnew()).toEqual({ seq: 2, from: 'primary' });
    await expect.poll(readAnew).toEqual({ seq: 2, from: 'redis' });
    expect(await redis.client.pttl(NAME)).toBeGreaterThan(0);
  });

  it('are no older than they may be, though nobody ever writes through', async () => {
    const redis = await ownRedis();
    const { cacheOf, readAnew, world } = await openCache(redis);
    const cache = cacheOf();
    await cache.read(MINE);
    await expect.poll(() => redis.client.exists(NAME)).toBe(1);
    await redis.client.persist(NAME);
    world.wallet = walletOf(2);
    world.nowMs += READ_LIMITS.walletCacheMs;
    expect(await readAnew()).toEqual({ seq: 1, from: 'redis' });
    world.nowMs += 1;
    expect(await readAnew()).toEqual({ seq: 2, from: 'primary' });
    // What memory holds ends by itself, half a second after it was read.
    await expect.poll(async () => (await cache.read(MINE))?.wallet.seq).toBe(2);
  });

  it('come from the primary while Redis is emptied, hangs or is away', async () => {
    const redis = await ownRedis();
    const proxy = await startTcpProxy({ port: Number(new URL(redis.url).port) });
    onTestFinished(() => proxy.close());
    const { readAnew, world, writer } = await openCache(redis, proxy.port);
    await readAnew();
    await expect.poll(readAnew).toEqual({ seq: 1, from: 'redis' });
    await redis.client.flushall();
    expect(await readAnew()).toEqual({ seq: 1, from: 'primary' });

    proxy.break('black-hole');
    world.wallet = walletOf(2);
    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, readAnew));
    expect(answers).toEqual(answers.map(() => ({ seq: 2, from: 'primary' })));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    writer.committed([walletOf(3)]); // throws nothing
    await redis.stop();
    expect(await readAnew()).toEqual({ seq: 2, from: 'primary' });
  });
});
