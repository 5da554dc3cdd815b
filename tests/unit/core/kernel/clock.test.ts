import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTicker, systemClock, withTimeout } from '../../../../core/kernel/clock.ts';
import { until } from '../../../support/wait.ts';

describe('withTimeout', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const late = () => new Error('too late');

  it('passes the result or the failure of the work through, and leaves no timer', async () => {
    await expect(withTimeout(Promise.resolve(7), 1_000, late)).resolves.toBe(7);
    const failing = withTimeout(Promise.reject(new Error('broken')), 1_000, late);
    await expect(failing).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects when the work hangs, and its late failure harms nobody', async () => {
    let fail: (error: Error) => void = () => undefined;
    const hanging = new Promise<number>((_resolve, reject) => {
      fail = reject;
    });
    const guarded = withTimeout(hanging, 1_000, late);
    const outcome = expect(guarded).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    fail(new Error('nobody listens')); // an unhandled rejection would fail this file
    await vi.advanceTimersByTimeAsync(1);
  });
});

describe('sleep', () => {
  it('ends at once, without an error, when its signal aborts or has aborted', async () => {
    const stopping = new AbortController();
    const asleep = systemClock.sleep(60_000, stopping.signal);
    stopping.abort();
    await asleep;
    await systemClock.sleep(60_000, stopping.signal);
  });

  it('measures durations with a clock that never goes back', async () => {
    const before = systemClock.monotonicMs();
    await systemClock.sleep(5);
    expect(systemClock.monotonicMs()).toBeGreaterThan(before);
  });
});

describe('a ticker', () => {
  const quick = { intervalMs: 1, clock: systemClock };

  it('goes on after a failure, and tells of it', async () => {
    let runs = 0;
    const errors: unknown[] = [];
    const ticker = startTicker({
      ...quick,
      run: async () => {
        runs += 1;
        if (runs === 1) throw new Error('once');
      },
      onError: (error) => errors.push(error),
    });
    await until(() => runs >= 3, 'it runs three times');
    await ticker.stop();
    expect(errors).toHaveLength(1);
  });

  it('never runs twice at once, and stop waits for the run under way', async () => {
    let active = 0;
    let most = 0;
    let runs = 0;
    const ticker = startTicker({
      ...quick,
      run: async () => {
        active += 1;
        most = Math.max(most, active);
        await systemClock.sleep(5);
        active -= 1;
        runs += 1;
      },
      onError: () => undefined,
    });
    await until(() => runs >= 3, 'it runs three times');
    await ticker.stop();
    expect([most, active]).toEqual([1, 0]);
    const after = runs;
    await systemClock.sleep(10);
    expect(runs).toBe(after);
  });

  it('stops at once while it waits for the next run', async () => {
    const ticker = startTicker({
      ...{ intervalMs: 3_600_000, clock: systemClock },
      run: async () => undefined,
      onError: () => undefined,
    });
    await ticker.stop();
  });
});
