import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';

/** Collects what concurrent calls bring and commits it in groups. */
export interface GroupCommit<T> {
  /** The items of one call stay together, in their order. */
  add(call: readonly T[]): void;
  /** Items that no group has taken yet. */
  waiting(): number;
  /** Until everything that was added is through; from now on nothing waits for company. */
  drain(): Promise<void>;
}

interface GroupCommitDeps<T> {
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** Must not reject, and must end: a group that hangs keeps its place. */
  readonly commit: (group: readonly T[]) => Promise<void>;
}

/**
 * When a group starts. Every group costs a round trip and about a millisecond of CPU whatever its
 * size, so what would be small waits, but only while there is something to wait for:
 *
 * - as soon as enough are waiting, so that the database works while this process reads the next;
 * - when nothing is under way, two milliseconds after the first came, or as soon as what was under
 *   way has landed: then its clients' next requests have company already;
 * - while others are under way, after a few milliseconds at the latest, however long those take.
 */
export function createGroupCommit<T>({ clock, commit }: GroupCommitDeps<T>): GroupCommit<T> {
  const calls: (readonly T[])[] = [];
  let waiting = 0;
  let waitingSinceMs = 0;
  let inFlight = 0;
  let isTimed = false;
  let isDraining = false;
  const idle: (() => void)[] = [];

  /**
   * Up to the usual size, and to the end of the call at that point: two groups of one call would be
   * under way at once, and so in no order.
   */
  const take = (): readonly T[] => {
    const group: T[] = [];
    while (group.length < LIMITS.groupCommitSizeMax) {
      const call = calls.shift();
      if (call === undefined) break;
      group.push(...call);
    }
    waiting -= group.length;
    return group;
  };
  const patienceMs = (): number =>
    inFlight === 0 ? LIMITS.groupCommitWindowMs : LIMITS.groupCommitPatienceMs;
  /** A timer cannot do better than a millisecond. */
  const isOverdue = (): boolean =>
    isDraining || clock.monotonicMs() - waitingSinceMs > patienceMs() - 1;

  const pump = (): void => {
    while (waiting > 0 && inFlight < LIMITS.groupCommitsInFlightMax) {
      const isTime = inFlight === 0 || waiting >= LIMITS.groupCommitEnough || isOverdue();
      if (!isTime) break;
      inFlight += 1;
      commit(take()).then(landed, landed);
    }
    if (waiting > 0) wakeAfter(LIMITS.groupCommitPatienceMs);
  };
  const landed = (): void => {
    inFlight -= 1;
    if (waiting > 0) setImmediate(pump);
    else if (inFlight === 0) for (const wake of idle.splice(0)) wake();
  };
  /** There is one timer; it may have been set for items that are gone, and then goes on. */
  const wakeAfter = (delayMs: number): void => {
    if (isTimed) return;
    isTimed = true;
    clock.after(delayMs, () => {
      isTimed = false;
      if (waiting === 0) return;
      if (isOverdue()) pump();
      else wakeAfter(waitingSinceMs + patienceMs() - clock.monotonicMs());
    });
  };

  return Object.freeze({
    add: (call: readonly T[]) => {
      if (call.length === 0) return;
      if (waiting === 0) waitingSinceMs = clock.monotonicMs();
      calls.push(call);
      waiting += call.length;
      if (waiting >= LIMITS.groupCommitEnough) pump();
      else wakeAfter(patienceMs());
    },
    waiting: () => waiting,
    drain: async () => {
      isDraining = true;
      if (waiting === 0 && inFlight === 0) return;
      await new Promise<void>((resolve) => {
        idle.push(resolve);
        pump();
      });
    },
  });
}
