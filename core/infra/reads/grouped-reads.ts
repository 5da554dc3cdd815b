import { startTimer, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

/** What is looked for, and whose it has to be. */
export interface ReadKey {
  readonly tenantId: string;
  readonly id: string;
}

/** Look-ups of concurrent requests that share round trips. */
export interface GroupedReads<V> {
  /**
   * What the key has, or undefined. The look-up begins after the call: whatever was committed before
   * is in it.
   *
   * @throws AppError `ledger_unavailable` when there is no answer in time or too many wait; whatever
   * the look-up of its group throws.
   */
  read(key: ReadKey): Promise<V | undefined>;
}

export interface GroupedReadsOptions<V> {
  readonly sizeMax: number;
  readonly inFlightMax: number;
  readonly waitingMax: number;
  /** From the call to the answer. */
  readonly deadlineMs: number;
  /** Ids that are longer are not looked for. */
  readonly idCharsMax: number;
  /**
   * Looks several keys up, each of them once, and gives what it finds as it comes: who waits for it
   * goes on before the rest is there.
   */
  readonly load: (keys: readonly ReadKey[], give: Give<V>) => Promise<void>;
  /** Of every group: how many keys it had. */
  readonly onGroup?: (size: number) => void;
}

/** What belongs to no key that was asked for is nobody's. */
export type Give<V> = (key: ReadKey, value: V) => void;

interface Asked<V> {
  readonly key: ReadKey;
  readonly until: number;
  readonly waiters: Waiter<V>[];
}

interface Waiter<V> {
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Natural batching: a look-up starts as soon as there is room for one, with what has come in the same
 * turn of the event loop or while the ones before it were under way. Nobody waits for company. Who asks
 * for a key that others are waiting for shares their look-up, but never one that has begun.
 */
export function createGroupedReads<V>(options: GroupedReadsOptions<V>): GroupedReads<V> {
  const { sizeMax, inFlightMax, waitingMax, deadlineMs, idCharsMax, load, onGroup } = options;
  const waiting = new Map<string, Asked<V>>();
  let inFlight = 0;
  let waiters = 0;
  let isScheduled = false;
  let stopWatching: (() => void) | undefined;

  const take = (): Map<string, Asked<V>> => {
    const taken = new Map<string, Asked<V>>();
    for (const [text, asked] of waiting) {
      if (taken.size === sizeMax) break;
      taken.set(text, asked);
      waiting.delete(text);
      waiters -= asked.waiters.length;
    }
    return taken;
  };
  const run = (): void => {
    const group = take();
    const keys = [...group.values()].map(({ key }) => key);
    onGroup?.(keys.length);
    inFlight += 1;
    // The oldest of the group came first, and the look-up is theirs too.
    const first = Math.min(...[...group.values()].map(({ until }) => until));
    const over = once(() => {
      stopTimer();
      inFlight -= 1;
      schedule();
    });
    const stopTimer = startTimer(Math.max(1, first - systemClock.monotonicMs()), () => {
      rejectAll(group, tooLate());
      over();
    });
    begin(load, keys, (key, value) => {
      const text = textOf(key);
      for (const { resolve } of group.get(text)?.waiters ?? []) resolve(value);
      group.delete(text);
    })
      .then(
        () => {
          for (const { waiters: own } of group.values()) {
            for (const one of own) one.resolve(undefined);
          }
        },
        (error: unknown) => {
          rejectAll(group, error);
        },
      )
      .finally(over);
  };
  const pump = (): void => {
    isScheduled = false;
    while (waiting.size > 0 && inFlight < inFlightMax) run();
  };
  const schedule = (): void => {
    if (isScheduled || waiting.size === 0 || inFlight >= inFlightMax) return;
    isScheduled = true;
    setImmediate(pump);
  };
  /** Sends away who has waited too long for a round trip to begin; the first in line is the oldest. */
  const watch = (): void => {
    const [next] = waiting.values();
    if (stopWatching !== undefined || next === undefined) return;
    stopWatching = startTimer(Math.max(1, next.until - systemClock.monotonicMs()), () => {
      stopWatching = undefined;
      const now = systemClock.monotonicMs();
      for (const [text, asked] of waiting) {
        if (asked.until > now) break;
        waiting.delete(text);
        waiters -= asked.waiters.length;
        for (const { reject } of asked.waiters) reject(tooLate());
      }
      watch();
    });
  };

  return Object.freeze({
    read: (key: ReadKey) =>
      new Promise<V | undefined>((resolve, reject) => {
        if (key.id.length > idCharsMax) {
          resolve(undefined);
          return;
        }
        if (waiters >= waitingMax) {
          reject(unavailable('Too many look-ups are waiting'));
          return;
        }
        const text = textOf(key);
        const asked = waiting.get(text);
        waiters += 1;
        if (asked !== undefined) {
          asked.waiters.push({ resolve, reject });
          return;
        }
        const until = systemClock.monotonicMs() + deadlineMs;
        waiting.set(text, { key, until, waiters: [{ resolve, reject }] });
        schedule();
        if (inFlight >= inFlightMax) watch();
      }),
  });
}

/** Also what throws at once is a failure of the group. */
async function begin<V>(
  load: GroupedReadsOptions<V>['load'],
  keys: readonly ReadKey[],
  give: Give<V>,
): Promise<void> {
  await load(keys, give);
}

function rejectAll<V>(group: Map<string, Asked<V>>, error: unknown): void {
  for (const { waiters } of group.values()) for (const one of waiters) one.reject(error);
  group.clear();
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}

/** The id of a tenant holds no line break, whatever the other one has. */
function textOf({ tenantId, id }: ReadKey): string {
  return `${tenantId}\n${id}`;
}

function tooLate(): AppError {
  return unavailable('The database did not answer in time');
}

function unavailable(detail: string): AppError {
  return new AppError('ledger_unavailable', detail, { retryAfterSeconds: 1 });
}
