import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { createDatabaseClock, notBefore } from '../../../../core/infra/database-clock.ts';
import { type Clock, systemClock } from '../../../../core/kernel/clock.ts';

const START = Date.UTC(2026, 0, 1);

/** A primary whose clock reads `offsetMs` beside ours, and answers after `tripMs`. */
function openWorld() {
  const world = { monotonicMs: 500, offsetMs: START, tripMs: 0, reads: 0, isAway: false };
  const clock: Clock = { ...systemClock, monotonicMs: () => world.monotonicMs };
  const read = async () => {
    world.reads += 1;
    if (world.isAway) throw new Error('no primary');
    world.monotonicMs += world.tripMs / 2;
    const now = new Date(world.monotonicMs + world.offsetMs);
    world.monotonicMs += world.tripMs / 2;
    return Promise.resolve({ now });
  };
  const databaseTime = createDatabaseClock(read, clock);
  return {
    world,
    now: async () => (await databaseTime()).now.getTime() - START,
    /** Asks, so that a reading starts where one is due, and lets it end. */
    settle: async () => {
      await databaseTime();
      await new Promise(setImmediate);
    },
  };
}

describe('database time without a round trip', () => {
  it('is read once, and goes on by the monotonic clock', async () => {
    const { world, now } = openWorld();
    expect(await now()).toBe(500);
    world.monotonicMs += LIMITS.databaseClockMs - 1;
    expect(await now()).toBe(500 + LIMITS.databaseClockMs - 1);
    expect(world.reads).toBe(1);
  });

  it('takes the middle of the round trip for the moment of the reading', async () => {
    const { world, now } = openWorld();
    world.tripMs = 40;
    expect(await now()).toBe(540);
  });

  it('is read again once a second while somebody asks, without making anybody wait', async () => {
    const { world, settle } = openWorld();
    await settle();
    for (let second = 1; second <= 5; second += 1) {
      world.monotonicMs += LIMITS.databaseClockMs + 1;
      await settle();
      await settle();
    }
    expect(world.reads).toBe(6);
  });

  it('keeps the more exact of two readings that agree', async () => {
    const { world, now, settle } = openWorld();
    await settle();
    world.monotonicMs += LIMITS.databaseClockMs + 1;
    Object.assign(world, { tripMs: 400, offsetMs: START + 100 });
    await settle();
    expect(await now()).toBe(world.monotonicMs);
  });

  it("follows a primary's clock that was set, in either direction", async () => {
    for (const stepMs of [3_600_000, -3_600_000]) {
      const { world, now, settle } = openWorld();
      await settle();
      world.offsetMs += stepMs;
      world.monotonicMs += LIMITS.databaseClockMs + 1;
      await settle();
      expect(await now()).toBe(world.monotonicMs + stepMs);
    }
  });

  it('uses no reading of a primary that stood still, however old the last one is', async () => {
    const { world, now, settle } = openWorld();
    await settle();
    world.tripMs = 13_000;
    world.monotonicMs += LIMITS.databaseClockMsMax + 1;
    const stalled = await now();
    expect(stalled).toBe(world.monotonicMs);
    world.tripMs = 0;
    world.monotonicMs += LIMITS.databaseClockMs + 1;
    await settle();
    expect(await now()).toBe(world.monotonicMs);
    expect(await now()).toBeGreaterThanOrEqual(stalled);
  });

  it('says that it cannot tell when the first readings all took long', async () => {
    const { world, now } = openWorld();
    world.tripMs = 13_000;
    await expect(now()).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(world.reads).toBe(3);
    world.tripMs = 0;
    expect(await now()).toBe(world.monotonicMs);
  });

  it('keeps nobody waiting for a reading that does not come', async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const databaseTime = createDatabaseClock(() => new Promise(() => undefined), systemClock);
    const told = expect(databaseTime()).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await vi.advanceTimersByTimeAsync(6 * LIMITS.databaseClockErrorMsMax);
    expect(vi.getTimerCount()).toBe(0);
    await told;
  });

  it('does not run backwards when a reading corrects it a little', async () => {
    const { world, now, settle } = openWorld();
    Object.assign(world, { tripMs: 20 });
    await settle();
    Object.assign(world, { tripMs: 0, offsetMs: START - 5 });
    world.monotonicMs += LIMITS.databaseClockMs + 1;
    const before = await now();
    await settle();
    expect(await now()).toBe(before);
    world.monotonicMs += 50;
    expect(await now()).toBe(before + 45);
  });

  it('outlasts a primary that is away for a moment, and says so when it is away for long', async () => {
    const { world, now, settle } = openWorld();
    await settle();
    world.isAway = true;
    world.monotonicMs += LIMITS.databaseClockMs + 1;
    expect(await now()).toBe(world.monotonicMs);
    await settle();
    world.monotonicMs += LIMITS.databaseClockMsMax;
    await expect(now()).rejects.toThrow('no primary');
    world.isAway = false;
    expect(await now()).toBe(world.monotonicMs);
  });
});

describe('a time that has a floor', () => {
  it.each([
    [100, 90, 100],
    [100, 140, 140],
    [100, 5_000, 100],
  ])('%i, not before %i, is %i', (estimateMs, floorMs, expected) => {
    expect(notBefore(estimateMs, floorMs)).toBe(expected);
  });
});
