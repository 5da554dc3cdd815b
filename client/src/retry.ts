import type { Clock } from './clock.ts';

/** What is waited between the tries of one call, and how many tries all calls have together. */
export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  readonly baseMs: number;
  readonly capMs: number;
  /** `Retry-After` is honoured up to here. */
  readonly retryAfterMsMax: number;
  /** Retries that all calls of a client have at once; they come back with successes and with time. */
  readonly budget: number;
}

export const RETRY_DEFAULTS: RetryOptions = Object.freeze({
  retries: 4,
  baseMs: 200,
  capMs: 5_000,
  retryAfterMsMax: 60_000,
  budget: 20,
});

/** Full jitter: anything up to a ceiling that doubles. What the server asks for is the least. */
export function waitMsOf(
  retry: number,
  { baseMs, capMs, retryAfterMsMax }: RetryOptions,
  { asked, random }: { readonly asked: number | undefined; readonly random: () => number },
): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(retry, 30));
  const ownMs = Math.max(1, Math.round(random() * ceiling));
  // All who were sent away with the same number would come back at the same moment.
  return asked === undefined || asked === 0 ? ownMs : Math.min(asked, retryAfterMsMax) + ownMs / 4;
}

/**
 * A bucket of retries. While a server is away, each call may still be tried once; were each of them
 * tried five times, it would come back to five times its load.
 */
export interface RetryBudget {
  take(): boolean;
  succeeded(): void;
}

const BACK_PER_SUCCESS = 0.2;
const BACK_PER_SECOND = 0.5;

export function createRetryBudget(max: number, clock: Pick<Clock, 'now'>): RetryBudget {
  let left = max;
  let atMs = clock.now();
  const give = (tokens: number): void => {
    left = Math.min(max, left + Math.max(0, tokens));
  };
  return Object.freeze({
    take: () => {
      const nowMs = clock.now();
      give(((nowMs - atMs) / 1_000) * BACK_PER_SECOND);
      atMs = nowMs;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    succeeded: () => {
      give(BACK_PER_SUCCESS);
    },
  });
}

const SECONDS = /^\d{1,10}(\.\d{1,9})?$/;

/** `Retry-After` in milliseconds: seconds, or an HTTP date. Undefined: it says nothing. */
export function retryAfterMsOf(text: string | null, nowMs: number): number | undefined {
  const value = text?.trim() ?? '';
  if (SECONDS.test(value)) return Math.ceil(Number(value) * 1_000);
  // A date has the name of a month; `Date.parse` would take `-3` for one, too.
  const dateMs = /[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
