import { EXIT, InterruptedError } from './exit.ts';

/**
 * Runs work that Ctrl-C (or SIGTERM) interrupts through its signal; a second Ctrl-C does not wait
 * for it.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT.interrupted);
    stopping.abort(new InterruptedError());
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(stopping.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
