import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { createWalletReservations } from '../../../core/ledger/wallet-reservations-lock.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { openWorld } from '../../support/platform.ts';
import { until } from '../../support/wait.ts';

async function open() {
  const { node } = await openWorld();
  const { REDIS_URL, QUEUE_PREFIX } = node.platform.env;
  const redis = new Redis(REDIS_URL);
  onTestFinished(() => {
    redis.disconnect();
  });
  const key = `${QUEUE_PREFIX}:claims`;
  const logger = createLogger({ level: 'silent', service: 'test' });
  await until(() => redis.status === 'ready', 'Redis is connected');
  const claims = createWalletReservations({ redis, key, logger });
  /** Who has which: asked of Redis, since a claim that waits too long is granted all the same. */
  const owners = async (): Promise<Record<string, string>> => {
    const held = Object.entries(await redis.hgetall(key));
    return Object.fromEntries(held.map(([name, claim]) => [name, claim.replace(/^.*\|/, '')]));
  };
  return { redis, key, claims, owners };
}

describe('claims on wallets', () => {
  it('are granted item by item, all of one or nothing of it', async () => {
    const { claims, owners } = await open();
    await claims.take([['a', 'b'], ['c']], 'one');
    await claims.take([['d', 'b'], ['e'], ['c']], 'two');
    expect(await owners()).toEqual({ a: 'one', b: 'one', c: 'one', e: 'two' });
  });

  it('are given back by their owner, and by nobody else', async () => {
    const { claims, owners } = await open();
    await claims.take([['a'], ['b']], 'one');
    await claims.release(['a', 'b'], 'two');
    expect(await owners()).toEqual({ a: 'one', b: 'one' });
    await claims.release(['a'], 'one');
    expect(await owners()).toEqual({ b: 'one' });
  });

  it('do not outlive whoever made them, in a key that goes when nobody settles', async () => {
    const { redis, key, claims, owners } = await open();
    await claims.take([['a']], 'one');
    const leftMs = await redis.pttl(key);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(2 * LIMITS.claimMs);
    await until(async () => {
      await claims.take([['a']], 'two');
      return (await owners())['a'] === 'two';
    }, 'the claim of one that is gone runs out');
  });
});
