import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';

/** Calls under way, by how long they have been. */
export interface OldCalls {
  /** What it returns ends the call. */
  begin(channel: string, key: string): () => void;
  /** One to there has not come back for more than a second. */
  hasOld(channel: string, key: string): boolean;
  /** Such calls have half of the places that a channel has in this process. */
  areHalfOld(channel: string): boolean;
}

interface Call {
  readonly channel: string;
  readonly key: string;
  readonly startedMs: number;
}

interface Counted {
  readonly atMs: number;
  readonly byChannel: ReadonlyMap<string, number>;
  readonly keys: ReadonlySet<string>;
}

/** What is slow, or never answers, has half of the places at the most: the others go on. */
export function createOldCalls(clock: Pick<Clock, 'monotonicMs'>): OldCalls {
  const underWay = new Set<Call>(); // in the order in which they began
  let counted: Counted = { atMs: Number.NEGATIVE_INFINITY, byChannel: new Map(), keys: new Set() };

  const count = (): Counted => {
    const nowMs = clock.monotonicMs();
    if (nowMs - counted.atMs < LIMITS.deliveryOldCountMs) return counted;
    const byChannel = new Map<string, number>();
    const keys = new Set<string>();
    for (const { channel, key, startedMs } of underWay) {
      if (nowMs - startedMs <= LIMITS.deliveryOldMs) break;
      byChannel.set(channel, (byChannel.get(channel) ?? 0) + 1);
      keys.add(`${channel}\n${key}`);
    }
    counted = { atMs: nowMs, byChannel, keys };
    return counted;
  };

  return Object.freeze({
    begin: (channel: string, key: string) => {
      const call = { channel, key, startedMs: clock.monotonicMs() };
      underWay.add(call);
      return () => {
        underWay.delete(call);
      };
    },
    hasOld: (channel: string, key: string) => count().keys.has(`${channel}\n${key}`),
    areHalfOld: (channel: string) =>
      (count().byChannel.get(channel) ?? 0) >= LIMITS.deliveryConcurrency / 2,
  });
}
