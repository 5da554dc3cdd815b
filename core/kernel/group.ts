import { startTimer, systemClock } from './clock.ts';

/** Collects what concurrent callers want and does it together. */
export interface Group<T, R> {
  /** Its own outcome for each; a failure of the run is everybody's. */
  add(item: T): Promise<R>;
}

interface GroupOptions<T, R> {
  readonly sizeMax: number;
  readonly inFlightMax: number;
  /** Between the starts of two runs at the least, but for full ones: company is worth waiting for. */
  readonly paceMs?: number;
  /** One result per item, in order. `slot` tells runs under way at the same time apart. */
  readonly run: (items: readonly T[], slot: number) => Promise<readonly R[]>;
}

/**
 * Natural batching: a run starts as soon as there is room for one, with whatever has come in the
 * same turn of the event loop or while the runs before it were under way. Nobody waits for company
 * unless there is a pace, and then only behind others.
 */
export function createGroup<T, R>(options: GroupOptions<T, R>): Group<T, R> {
  const { sizeMax, inFlightMax, paceMs = 0, run } = options;
  const waiting: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = [];
  const free = Array.from({ length: inFlightMax }, (_, index) => inFlightMax - 1 - index);
  let isScheduled = false;
  let stopWaiting: (() => void) | undefined;
  let startedMs = Number.NEGATIVE_INFINITY;

  const pump = (): void => {
    isScheduled = false;
    stopWaiting?.();
    stopWaiting = undefined;
    while (waiting.length > 0) {
      const slot = free.pop();
      if (slot === undefined) return;
      if (paceMs > 0) startedMs = systemClock.monotonicMs();
      const taken = waiting.splice(0, sizeMax);
      const landed = (): void => {
        free.push(slot);
        schedule();
      };
      run(
        taken.map(({ item }) => item),
        slot,
      )
        .then((results) => {
          for (const [index, one] of taken.entries()) {
            const result = results[index];
            if (result === undefined) one.reject(new Error('a group run gave too few results'));
            else one.resolve(result);
          }
        })
        .catch((error: unknown) => {
          for (const one of taken) one.reject(error);
        })
        .then(landed, landed);
      if (paceMs > 0) {
        schedule();
        return;
      }
    }
  };
  const schedule = (): void => {
    if (isScheduled || waiting.length === 0) return;
    const waitMs = paceMs === 0 ? 0 : startedMs + paceMs - systemClock.monotonicMs();
    if (waitMs > 0 && waiting.length < sizeMax) {
      stopWaiting ??= startTimer(waitMs, pump);
      return;
    }
    isScheduled = true;
    setImmediate(pump);
  };

  return Object.freeze({
    add: (item: T) =>
      new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      }),
  });
}
