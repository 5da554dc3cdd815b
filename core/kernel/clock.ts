import { setTimeout as sleepMs } from 'node:timers/promises';

/** Time as a dependency. Durations use `monotonicMs`; leases and staleness use database time. */
export interface Clock {
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary origin. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once (without rejecting) when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; cheaper than a promise where thousands of requests share it. */
  after(ms: number, run: () => void): void;
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms: number, run: () => void) => {
    setTimeout(run, ms);
  },
  sleep: async (ms: number, signal?: AbortSignal) => {
    try {
      await sleepMs(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    }
  },
});

/** Calls once after `ms`, unless what it returns is called before. */
export function startTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => {
    clearTimeout(timer);
  };
}

/** A repeating timer whose runs never overlap and whose failures go to `onError`. */
export interface Ticker {
  stop(): Promise<void>;
}

interface TickerOptions {
  /** A function is asked anew before every pause. */
  readonly intervalMs: number | (() => number);
  readonly jitterMs?: number;
  readonly run: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly random?: () => number;
}

export function startTicker(options: TickerOptions): Ticker {
  const { intervalMs, jitterMs = 0, run, onError, clock, random = Math.random } = options;
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const pauseMs = typeof intervalMs === 'number' ? intervalMs : intervalMs();
      await clock.sleep(pauseMs + Math.round(random() * jitterMs), stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await run();
      } catch (error) {
        onError(error);
      }
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/**
 * Rejects with `onTimeout()` when the promise has not settled within `ms`. The work itself is not
 * stopped: its late outcome is ignored, so it must be safe to finish unobserved.
 */
export async function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(onTimeout());
    }, ms);
  });
  promise.catch(() => undefined); // a late rejection is not an unhandled one
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
