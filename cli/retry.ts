import { systemClock } from '../core/kernel/clock.ts';
import { fullJitterMs } from '../core/kernel/backoff.ts';
import { CliError, EXIT } from './exit.ts';
import { formatDuration } from './format.ts';

/** The waits between the tries of one request. */
export interface Retry {
  /**
   * Waits before the next try: what the server asked for, else ever longer.
   *
   * @throws CliError `gaveUp` when it has failed for too long; the reason of the signal.
   */
  failed(reason: string, retryAfterMs?: number): Promise<void>;
}

export interface RetryPolicy {
  /** Give up when a request has failed for this long. */
  readonly forMs: number;
  readonly signal: AbortSignal;
  /** Told of every wait, for the progress line. */
  readonly onWait: (reason: string, waitMs: number) => void;
  readonly clock?: Pick<typeof systemClock, 'monotonicMs' | 'sleep'>;
}

const BASE_MS = 200;
const CAP_MS = 5_000;
/** What is drawn must not become a busy loop. */
const WAIT_MS_MIN = 50;

export function createRetry(policy: RetryPolicy): Retry {
  const clock = policy.clock ?? systemClock;
  let firstFailedMs: number | undefined;
  let attempt = 0;
  return {
    failed: async (reason, retryAfterMs) => {
      policy.signal.throwIfAborted();
      firstFailedMs ??= clock.monotonicMs();
      const ownMs = fullJitterMs(attempt, { baseMs: BASE_MS, capMs: CAP_MS, random: Math.random });
      // Zero, or a date that has passed, asks for no wait: ours grow.
      const isAsked = retryAfterMs !== undefined && retryAfterMs > 0;
      const waitMs = Math.max(WAIT_MS_MIN, isAsked ? retryAfterMs : ownMs);
      attempt += 1;
      const leftMs = firstFailedMs + policy.forMs - clock.monotonicMs();
      if (waitMs > leftMs) {
        const asked =
          retryAfterMs === undefined ? '' : ` and asks to wait ${formatDuration(waitMs)}`;
        const since = formatDuration(clock.monotonicMs() - firstFailedMs);
        throw new CliError(`gave up after ${since}: ${reason}${asked}`, EXIT.gaveUp);
      }
      policy.onWait(reason, waitMs);
      await clock.sleep(waitMs, policy.signal);
      policy.signal.throwIfAborted();
    },
  };
}
