import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Breakers,
  createLocalBreakers,
  createSharedBreakers,
} from '../../../core/notifications/admission/breaker-cache.ts';
import { type Clock, systemClock } from '../../../core/kernel/clock.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { openTestDatabase } from '../../support/database.ts';
import { seedOf } from '../../support/property.ts';
import { until } from '../../support/wait.ts';

const logger = createLogger({ level: 'silent', service: 'test' });
const BAD = { isGood: false, isProbe: false };

/** Local and shared breakers on one hand-driven clock. */
async function open() {
  const database = await openTestDatabase();
  const redis = new Redis(database.redisUrl);
  onTestFinished(async () => {
    redis.disconnect();
    await until(() => redis.status === 'end', 'Redis is closed');
  });
  await until(() => redis.status === 'ready', 'Redis answers');
  const time = { ms: 1_000_000 };
  const clock: Clock = { ...systemClock, now: () => time.ms };
  const shared = (prefix: string): Breakers =>
    createSharedBreakers({
      redis,
      prefix: `${database.name}-${prefix}`,
      local: createLocalBreakers(clock),
      logger,
      now: () => time.ms,
    });
  return { redis, time, clock, shared, database };
}

describe('the breaker that processes share', () => {
  it('does what the decision table does, whatever the order of calls', async () => {
    const { time, clock, shared } = await open();
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), waitMs: fc.nat({ max: 25_000 }) }),
      fc.record({
        kind: fc.constant('leave' as const),
        waitMs: fc.nat({ max: 3_000 }),
        isGood: fc.boolean(),
        isProbe: fc.boolean(),
      }),
    );
    let run = 0;
    const steps = fc.array(step, { maxLength: 60 });
    const property = fc.asyncProperty(steps, async (all) => {
      run += 1;
      const ours = shared(`r${run}`);
      const model = createLocalBreakers(clock);
      for (const one of all) {
        time.ms += one.waitMs;
        const [mine, theirs] =
          one.kind === 'enter'
            ? await Promise.all([ours.enter('key', 0), model.enter('key', 0)])
            : await Promise.all([ours.leave('key', one), model.leave('key', one)]);
        if ('openMs' in mine && 'openMs' in theirs) expect(mine.openMs).toBe(theirs.openMs);
        else expect(withoutSamples(mine)).toEqual(withoutSamples(theirs));
      }
    });
    const seed = seedOf('shared breaker');
    await fc.assert(property, { seed, numRuns: 60 });
  });

  it('keeps to the messages per second that a provider may have', async () => {
    const { time, shared } = await open();
    const breakers = shared('rate');
    const enter = async (): Promise<string> => (await breakers.enter('sms', 5)).kind;
    const kinds = [];
    for (let call = 0; call < 8; call += 1) kinds.push(await enter());
    expect(kinds.filter((kind) => kind === 'throttled')).toHaveLength(2); // a second's worth ahead
    expect(await breakers.enter('sms', 5)).toEqual({ kind: 'throttled', waitMs: 200 });
    time.ms += 200;
    expect(await enter()).toBe('go');
    expect(await enter()).toBe('throttled');
  });

  it('goes on alone when Redis is away, with what it knows', async () => {
    const { redis, shared } = await open();
    const breakers = shared('away');
    for (let call = 0; call < 6; call += 1) await breakers.leave('key', BAD);
    redis.disconnect();
    await until(() => redis.status === 'end', 'Redis is away');
    for (let call = 0; call < 4; call += 1) await breakers.leave('key', BAD);
    expect(await breakers.enter('key', 0)).toMatchObject({ kind: 'open', waitMs: 30_000 });
  });
});

function withoutSamples(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'samples'));
}
