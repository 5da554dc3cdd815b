import type { Clock } from '../kernel/clock.ts';

/** Sleeps through a short pause; false: there is no room, and the pause has to be a timer. */
export type Nap = (ms: number, signal: AbortSignal) => Promise<boolean>;

/** With room for a few: a provider that fails at once must not fill the pool with sleepers. */
export function createNap(clock: Pick<Clock, 'sleep'>, sleepersMax: () => number): Nap {
  let sleepers = 0;
  return async (ms, signal) => {
    if (sleepers >= sleepersMax()) return false;
    sleepers += 1;
    try {
      await clock.sleep(Math.max(1, ms), signal);
      return true;
    } finally {
      sleepers -= 1;
    }
  };
}
