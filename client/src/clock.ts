import { SluiceError } from './errors.ts';

/** Time and chance, in one place, so that tests can say what they are. */
export interface Clock {
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
  /** Resolves after so long; rejects with `aborted` when the signal says so. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls back once after so long, unless what it returns is called before. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** 0 to 1, for the jitter of waits. */
  readonly random: () => number;
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => {
    clearTimeout(timer);
  };
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(abortedBy(signal));
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  sleep,
  after,
  random: () => Math.random(),
});

/** @throws SluiceError `aborted` when the caller has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedBy(signal);
}

export const ABORTED = 'The caller has aborted the call';

export function abortedBy(signal: AbortSignal | undefined): SluiceError {
  return new SluiceError('aborted', ABORTED, { cause: signal?.reason });
}
