import { LIMITS } from '../../../config/limits.ts';
import { createRecentMap } from '../../infra/recent-map.ts';
import type { Clock } from '../../kernel/clock.ts';

/** When those come again who found the other side asleep. */
export interface Wakes {
  /** After how many milliseconds: one when it may be tried, then two, four, and so on. */
  of(key: string, waitMs: number): number;
}

interface Asleep {
  readonly untilMs: number;
  count: number;
}

/**
 * What has gathered for one that was away is not let loose on it all at once, nor does all of it come
 * back to hear that it is away still: each step, of so many milliseconds, doubles what has come.
 */
export function createWakes(clock: Pick<Clock, 'monotonicMs'>): Wakes {
  const asleep = createRecentMap<Asleep>(LIMITS.breakersMax);
  return Object.freeze({
    of: (key: string, waitMs: number) => {
      const untilMs = clock.monotonicMs() + waitMs;
      let one = asleep.get(key);
      if (one === undefined || Math.abs(one.untilMs - untilMs) > LIMITS.deliveryWakeStepMs) {
        one = { untilMs, count: 0 };
        asleep.set(key, one);
      }
      one.count += 1;
      return waitMs + Math.floor(Math.log2(one.count)) * LIMITS.deliveryWakeStepMs;
    },
  });
}
