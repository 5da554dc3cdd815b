/** A signal that ends with another one, or after a while. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** When the work is done: nothing is left listening. */
  readonly release: () => void;
}

/**
 * Instead of `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: older Nodes let the timeout in it be
 * collected, and then it never fires. One that is listened to directly is kept.
 */
export function startDeadline(signal: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  const ceiling = AbortSignal.timeout(ms);
  const end = (): void => {
    controller.abort();
  };
  signal.addEventListener('abort', end);
  ceiling.addEventListener('abort', end);
  if (signal.aborted) end();
  return {
    signal: controller.signal,
    release: () => {
      signal.removeEventListener('abort', end);
      ceiling.removeEventListener('abort', end);
    },
  };
}
