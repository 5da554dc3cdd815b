import { expect, it, onTestFinished } from 'vitest';
import type { Plan } from '../../config/plan.ts';
import { redisUrls, parseEnv } from '../../config/env.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { type RateLimiter, createRateLimiter } from '../../core/access/rate-limiter.ts';
import { openSharedBuckets } from '../../core/access/shared-buckets-cache.ts';
import { createRedisRoles } from '../../core/infra/redis-roles.ts';
import { present } from '../../core/kernel/assert.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { startOwnRedis } from '../support/redis-server.ts';
import { until } from '../support/wait.ts';

const logger = createLogger({ level: 'silent', service: 'test' });
const clock = systemClock;

/** The limiter of one process. */
async function openProcess(url: string): Promise<RateLimiter> {
  const urls = redisUrls(parseEnv({ REDIS_URL: url }));
  const shared = openSharedBuckets(createRedisRoles({ urls, prefix: 'test', logger }));
  onTestFinished(() => shared.close());
  await until(() => shared.isReady(), 'Redis answers');
  return createRateLimiter({ shared, clock, logger });
}

function callerOf(plan: Plan, keyId = 'k'): Principal {
  return { keyId, tenant: { tenantId: 't', currencies: [] }, scopes: ['admin'], plan };
}

/** True: it got in. */
async function ask(limiter: RateLimiter, caller: Principal, tokens = 1): Promise<boolean> {
  const meter = present(limiter.meter(caller, 'write'), 'a meter');
  try {
    await meter.take(tokens);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return false;
    throw error;
  }
}

async function openTwo() {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  return { redis, processes: [await openProcess(redis.url), await openProcess(redis.url)] };
}

it('two processes let through what the plan says, exact to a hundredth', async () => {
  const { processes } = await openTwo();
  const caller = callerOf({ write: { tenant: { quota: 500, windowSeconds: 1 } } });
  const startedMs = clock.monotonicMs();
  const endMs = startedMs + 2_000;
  let granted = 0;
  let refused = 0;
  let lastMs = startedMs;
  const hammer = async (limiter: RateLimiter): Promise<void> => {
    while (clock.monotonicMs() < endMs) {
      if (await ask(limiter, caller)) {
        granted += 1;
        lastMs = clock.monotonicMs();
      } else {
        refused += 1;
        await clock.sleep(1);
      }
    }
  };
  await Promise.all(processes.flatMap((one) => Array.from({ length: 20 }, () => hammer(one))));
  const seconds = (lastMs - startedMs) / 1_000;
  const planned = 500 + 500 * seconds;
  expect(refused).toBeGreaterThan(100);
  expect(Math.abs(granted - planned) / planned).toBeLessThan(0.01);
});

it('a key takes of its own rate and of its tenant, of both or of neither', async () => {
  const { processes } = await openTwo();
  const [limiter] = processes;
  const one = present(limiter, 'a process');
  const tenant = { quota: 10, windowSeconds: 3_600 };
  const plan = { write: { tenant, key: { quota: 6, windowSeconds: 3_600 } } };
  const [first, second] = [callerOf(plan, 'a'), callerOf(plan, 'b')];
  const all = await Promise.all(Array.from({ length: 8 }, () => ask(one, first)));
  expect(all.filter(Boolean)).toHaveLength(6);
  const others = await Promise.all(Array.from({ length: 8 }, () => ask(one, second)));
  expect(others.filter(Boolean)).toHaveLength(4);
  const meter = present(one.meter(second, 'write'), 'a meter');
  expect(meter.headers()).toEqual({
    RateLimit: '"tenant-write";r=0;t=3600, "key-write";r=2;t=2400',
    'RateLimit-Policy': '"tenant-write";q=10;w=3600, "key-write";q=6;w=3600',
  });
  expect(one.meter(second, 'read')).toBeUndefined();
});

it('what counts as many is let through whole, or not at all', async () => {
  const { processes } = await openTwo();
  const one = present(processes[0], 'a process');
  const caller = callerOf({ write: { tenant: { quota: 100, windowSeconds: 3_600 } } });
  expect(await ask(one, caller, 60)).toBe(true);
  expect(await ask(one, caller, 41)).toBe(false);
  expect(await ask(one, caller, 40)).toBe(true);
  expect(await ask(one, caller)).toBe(false);
});

it('each process counts for itself while Redis is away, and together again afterwards', async () => {
  const { redis, processes } = await openTwo();
  const plan = { write: { tenant: { quota: 50, windowSeconds: 3_600 } } };
  await redis.stop();
  const startedMs = clock.monotonicMs();
  for (const limiter of processes) {
    const all = await Promise.all(Array.from({ length: 80 }, () => ask(limiter, callerOf(plan))));
    expect(all.filter(Boolean)).toHaveLength(50);
  }
  expect(clock.monotonicMs() - startedMs).toBeLessThan(2_000);
  await redis.start();
  const fresh = callerOf({ write: { tenant: { quota: 50, windowSeconds: 3_601 } } }, 'fresh');
  // Shared again: its level stands in Redis.
  await until(async () => {
    await ask(present(processes[0], 'a process'), fresh);
    return (await redis.client.exists('test-rate:write/t')) === 1;
  }, 'they count together again');
});
