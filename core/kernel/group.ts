/** Collects what concurrent callers want and does it together. */
export interface Group<T, R> {
  /** Its own outcome for each; a failure of the run is everybody's. */
  add(item: T): Promise<R>;
}

interface GroupOptions<T, R> {
  readonly sizeMax: number;
  readonly inFlightMax: number;
  /** One result per item, in order. `slot` tells runs under way at the same time apart. */
  readonly run: (items: readonly T[], slot: number) => Promise<readonly R[]>;
}

/**
 * Natural batching: a run starts as soon as there is room for one, with whatever has come in the
 * same turn of the event loop or while the runs before it were under way. Nobody waits for company.
 */
export function createGroup<T, R>({ sizeMax, inFlightMax, run }: GroupOptions<T, R>): Group<T, R> {
  const waiting: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = [];
  const free = Array.from({ length: inFlightMax }, (_, index) => inFlightMax - 1 - index);
  let isScheduled = false;

  const pump = (): void => {
    isScheduled = false;
    while (waiting.length > 0) {
      const slot = free.pop();
      if (slot === undefined) return;
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
    }
  };
  const schedule = (): void => {
    if (isScheduled || waiting.length === 0) return;
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
