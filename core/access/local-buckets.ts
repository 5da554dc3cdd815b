import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Bucket, Lane, Level, Taking } from './rates.ts';

/** Rounding must not cost a token. */
const EPSILON = 1e-6;

/**
 * The insurance for when the shared buckets cannot be reached: the same buckets, of this process
 * alone. Many processes let through so many times as much, and none lets through everything.
 */
export function createLocalBuckets(clock: Clock) {
  /** When each bucket is full again, in the order in which they were used. */
  const fullAt = new Map<string, number>();

  const roomIn = ({ id, rate }: Bucket, nowMs: number) => {
    const windowMs = rate.windowSeconds * 1_000;
    const stepMs = windowMs / rate.quota;
    const full = Math.max(fullAt.get(id) ?? nowMs, nowMs);
    return { full, stepMs, room: (windowMs - (full - nowMs)) / stepMs };
  };
  const put = (id: string, full: number): void => {
    fullAt.delete(id);
    const [oldest] = fullAt.keys();
    if (fullAt.size >= ACCESS_LIMITS.rateLocalMax && oldest !== undefined) fullAt.delete(oldest);
    fullAt.set(id, full);
  };

  return Object.freeze({
    /** `isWhole`: all or none; more than a bucket holds is had from a full one, and makes a debt. */
    take: ({ buckets }: Lane, tokens: number, isWhole: boolean): Taking => {
      const nowMs = clock.monotonicMs();
      const rooms = buckets.map((bucket) => ({ bucket, ...roomIn(bucket, nowMs) }));
      const needed = ({ bucket }: { readonly bucket: Bucket }): number =>
        isWhole ? Math.min(tokens, bucket.rate.quota) : 1;
      const isShort = rooms.some((one) => one.room + EPSILON < needed(one));
      const most = Math.min(tokens, ...rooms.map(({ room }) => Math.floor(room + EPSILON)));
      const granted = isShort ? 0 : isWhole ? tokens : most;
      let waitMs = 0;
      const levels = rooms.map((one): Level => {
        const full = one.full + granted * one.stepMs;
        if (granted > 0) put(one.bucket.id, full);
        const room = one.room - granted;
        waitMs = Math.max(waitMs, (needed(one) - room) * one.stepMs);
        const fullInSeconds = Math.ceil((full - nowMs) / 1_000);
        return { left: Math.max(0, Math.floor(room + EPSILON)), fullInSeconds };
      });
      return { granted, levels, waitMs: Math.max(0, waitMs), isLocal: true };
    },
  });
}
