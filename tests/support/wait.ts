import { setTimeout as pause } from 'node:timers/promises';

const STEP_MS = 10;

/** Waits for a condition with a deadline, instead of sleeping and hoping. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  deadlineMs = 15_000,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > deadlineMs) {
      const text = typeof what === 'string' ? what : what();
      throw new Error(`not within ${deadlineMs} ms: ${text}`);
    }
    await pause(STEP_MS);
  }
}
