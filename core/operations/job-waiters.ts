import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../config/limits.ts';
import type { AppError } from '../kernel/errors.ts';

interface Waiter {
  readonly lane: number;
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
  wait(lane: number, operationId: string): Promise<void>;
  resolve(operationId: string): void;
  /** Settled within the last few ten thousand: a late or repeated job need not ask. */
  isSettled(operationId: string): boolean;
  known(): ReadonlySet<string>;
  /** Jobs known before a complete reading which did not find their operation: it is settled. */
  acknowledgeGone(known: ReadonlySet<string>, reading: Reading): void;
  rejectAll(error: AppError): void;
}

export function createWaiters(): JobWaiters {
  const waiters = new Map<string, Waiter[]>();
  const recent = new LRUCache<string, true>({ max: LIMITS.recentlySettledMax });

  const resolve = (operationId: string): void => {
    recent.set(operationId, true);
    const waiting = waiters.get(operationId);
    if (waiting === undefined) return;
    waiters.delete(operationId);
    for (const waiter of waiting) waiter.resolve();
  };

  return Object.freeze({
    wait: (lane: number, operationId: string) =>
      new Promise<void>((resolveJob, reject) => {
        const waiter = { lane, resolve: resolveJob, reject };
        const waiting = waiters.get(operationId);
        if (waiting === undefined) waiters.set(operationId, [waiter]);
        else waiting.push(waiter);
      }),
    resolve,
    isSettled: (operationId: string) => recent.has(operationId),
    known: () => new Set(waiters.keys()),
    acknowledgeGone: (known, { lanes, open, underWay }) => {
      const stillOpen = new Set(open.map((operation) => operation._id));
      for (const id of known) {
        const lane = waiters.get(id)?.[0]?.lane;
        const wasRead = lane !== undefined && lanes.includes(lane);
        if (wasRead && !stillOpen.has(id) && !underWay.has(id)) resolve(id);
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
