import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Breakers,
  createLocalBreakers,
} from '../../../core/notifications/admission/breaker-cache.ts';
import { createNearBreakers } from '../../../core/notifications/admission/breaker-near-cache.ts';
import { createSharedBreakers } from '../../../core/notifications/admission/breaker-shared-cache.ts';
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

  it('grants no more than its rate to those who ask together, and one probe', async () => {
    const { time, shared } = await open();
    const breakers = shared('together');
    const kindsOf = async (count: number, rate: number): Promise<readonly string[]> => {
      const asked = Array.from({ length: count }, () => breakers.enter('key', rate));
      return (await Promise.all(asked)).map(({ kind }) => kind);
    };
    expect((await kindsOf(8, 5)).filter((kind) => kind === 'go')).toHaveLength(6);
    time.ms += 400;
    expect((await kindsOf(8, 5)).filter((kind) => kind === 'go')).toHaveLength(2);
    const failing = Array.from({ length: 10 }, () => breakers.leave('key', BAD));
    expect((await Promise.all(failing)).map(({ openMs }) => openMs)).toContain(30_000);
    time.ms += 30_000;
    expect((await kindsOf(8, 0)).toSorted()).toEqual(['go', ...Array(7).fill('open')]);
  });

  it('holds back one place of those that are asked for together, and not its neighbours', async () => {
    const { shared } = await open();
    const breakers = shared('holds');
    const well = { isGood: true, isProbe: false };
    await Promise.all([
      breakers.leave('key', well, { key: 'one', ms: 4_000 }),
      breakers.leave('key', well, { key: 'one', ms: 9_000 }),
      breakers.leave('key', well),
    ]);
    const places = ['one', 'two', 'one'];
    const asked = await Promise.all(places.map((place) => breakers.enter('key', 0, place)));
    expect(asked.map(({ kind }) => kind)).toEqual(['held', 'go', 'held']);
    expect(asked[0]).toEqual({ kind: 'held', waitMs: 9_000 });
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

describe('the breaker of a process that asks and tells in groups', () => {
  /** With a count of what goes to Redis. */
  async function near() {
    const { shared } = await open();
    const inner = shared('near');
    const calls = { enter: 0, leave: 0 };
    const counted: Breakers = {
      enter: (...args) => {
        calls.enter += 1;
        return inner.enter(...args);
      },
      leave: (...args) => {
        calls.leave += 1;
        return inner.leave(...args);
      },
    };
    const time = { ms: 0 };
    const due: (() => void)[] = [];
    const clock = {
      monotonicMs: () => time.ms,
      after: (_ms: number, run: () => void) => void due.push(run),
    };
    const breakers = createNearBreakers({ shared: counted, clock });
    return { inner, calls, time, breakers, tell: () => due.splice(0).forEach((run) => run()) };
  }
  const GOOD = { isGood: true, isProbe: false };

  it('asks once while it is well, and the others know of its good calls a moment later', async () => {
    const { inner, calls, breakers, tell } = await near();
    for (let call = 0; call < 20; call += 1) {
      expect(await breakers.enter('key', 0)).toMatchObject({ kind: 'go' });
      await breakers.leave('key', GOOD);
    }
    expect(calls.enter).toBe(1);
    expect(await breakers.enter('key', 0)).toMatchObject({ samples: { good: 20, bad: 0 } });
    tell();
    await until(async () => {
      const entry = await inner.enter('key', 0);
      return entry.kind === 'go' && entry.samples.good === 20;
    }, 'all of them are counted');
  });

  it('tells of a failure at once, with the good calls before it', async () => {
    const { inner, breakers } = await near();
    await breakers.enter('key', 0);
    await breakers.leave('key', GOOD);
    const exit = await breakers.leave('key', BAD);
    expect(exit.samples).toEqual({ good: 1, bad: 1 });
    expect(await inner.enter('key', 0)).toMatchObject({ samples: { good: 1, bad: 1 } });
  });

  it('lets nothing through once the breaker has opened or a place is to be left alone', async () => {
    const { time, breakers, inner } = await near();
    expect(await breakers.enter('key', 0, 'shop')).toMatchObject({ kind: 'go' });
    await breakers.leave('key', GOOD, { key: 'shop', ms: 5_000 });
    expect(await breakers.enter('key', 0, 'shop')).toMatchObject({ kind: 'held' });
    await breakers.enter('key', 0, 'other');
    for (let call = 0; call < 10; call += 1) await inner.leave('key', BAD); // another process
    time.ms += 100;
    expect(await breakers.enter('key', 0, 'other')).toMatchObject({ kind: 'open' });
    expect(await breakers.enter('key', 0, 'other')).toMatchObject({ kind: 'open' });
  });
});

function withoutSamples(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'samples'));
}
