import { EXIT, InterruptedError } from './exit.ts';

/** A terminal signals every process, and each that waits for another passes the signal on once more. */
const SAME_INTERRUPT_MS = 1_000;

/**
 * Runs work that Ctrl-C (or SIGTERM) interrupts through its signal; a second Ctrl-C, a second later or
 * more, does not wait for it.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  const stop = (): void => {
    const now = performance.now();
    if (firstAt !== undefined) {
      if (now - firstAt > SAME_INTERRUPT_MS) process.exit(EXIT.interrupted);
      return;
    }
    firstAt = now;
    stopping.abort(new InterruptedError());
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(stopping.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
