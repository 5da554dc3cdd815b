import { LIMITS } from '../../config/limits.ts';
import { createRecentMap } from '../infra/recent-map.ts';
import type { AppError } from '../kernel/errors.ts';

interface Waiter {
  readonly lane: number;
  /** Waiters are counted through, so that a reading knows which were there before it. */
  readonly number: number;
  /** Operations of its job that are still to be settled. */
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

interface Reading {
  readonly lanes: readonly number[];
  /** Everything open in those lanes. */
  readonly open: readonly { readonly _id: string }[];
  readonly underWay: ReadonlySet<string>;
}

/** The jobs whose operations are still to be settled, and which were settled lately. */
export interface JobWaiters {
  /** Until all of these are settled or released. */
  wait(lane: number, operationIds: readonly string[]): Promise<void>;
  resolve(operationId: string): void;
  /** Without remembering it: it may be set back. */
  release(operationId: string): void;
  /** Settled within the last few ten thousand: a late or repeated job need not ask. */
  isSettled(operationId: string): boolean;
  /** How many have waited so far. */
  count(): number;
  /** Of those that waited before a complete reading: what that did not find is settled. */
  acknowledgeGone(countBefore: number, reading: Reading): void;
  rejectAll(error: AppError): void;
}

export function createJobWaiters(): JobWaiters {
  const waiters = new Map<string, Waiter[]>();
  const recent = createRecentMap<true>(LIMITS.recentlySettledMax);
  let count = 0;

  const release = (operationId: string): void => {
    const waiting = waiters.get(operationId);
    if (waiting === undefined) return;
    waiters.delete(operationId);
    for (const waiter of waiting) {
      waiter.left -= 1;
      if (waiter.left === 0) waiter.resolve();
    }
  };
  const resolve = (operationId: string): void => {
    recent.set(operationId, true);
    release(operationId);
  };

  return Object.freeze({
    wait: (lane: number, operationIds: readonly string[]) =>
      new Promise<void>((resolveJob, reject) => {
        count += 1;
        const open = operationIds.filter((operationId) => !recent.has(operationId));
        const waiter = { lane, number: count, left: open.length, resolve: resolveJob, reject };
        if (open.length === 0) resolveJob();
        for (const operationId of open) {
          const waiting = waiters.get(operationId);
          if (waiting === undefined) waiters.set(operationId, [waiter]);
          else waiting.push(waiter);
        }
      }),
    resolve,
    release,
    isSettled: (operationId: string) => recent.has(operationId),
    count: () => count,
    acknowledgeGone: (countBefore, { lanes, open, underWay }) => {
      const stillOpen = new Set(open.map((operation) => operation._id));
      for (const [id, [first]] of waiters) {
        const wasRead =
          first !== undefined && first.number <= countBefore && lanes.includes(first.lane);
        if (wasRead && !stillOpen.has(id) && !underWay.has(id)) release(id);
      }
    },
    rejectAll: (error: AppError) => {
      for (const waiting of waiters.values()) {
        for (const waiter of waiting) waiter.reject(error);
      }
      waiters.clear();
    },
  } satisfies JobWaiters);
}
