import type { Clock } from '../../core/kernel/clock.ts';

/** Lets so many run at once; the others wait their turn. */
export function createGate(max: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < max) running += 1;
    else {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // gets this place
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

interface PaceOptions {
  readonly clock: Clock;
  /** Pieces of work up to this are done in one go. */
  readonly sliceMs: number;
  readonly stopping: AbortSignal;
}

/**
 * Does pieces of work one after another and rests as long as they took: whatever else the process
 * has to do gets at least half of it, however much there is to do here.
 */
export function createPace({ clock, sliceMs, stopping }: PaceOptions) {
  const gate = createGate(1);
  let spentMs = 0;
  return async <T>(work: () => T): Promise<T> =>
    gate(async () => {
      if (spentMs >= sliceMs) {
        await clock.sleep(spentMs, stopping);
        spentMs = 0;
      }
      const startedMs = clock.monotonicMs();
      try {
        return work();
      } finally {
        spentMs += clock.monotonicMs() - startedMs;
      }
    });
}
