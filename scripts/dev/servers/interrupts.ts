import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A terminal signals every process, and npm passes the signal on once more. */
const SAME_INTERRUPT_MS = 1_000;

/**
 * Runs the handler at the first Ctrl-C, SIGTERM or SIGHUP and then ends the process as that signal
 * would. A second one, a second later or more, ends it at once; the watchdog then does the stopping.
 */
export function onInterrupt(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let firstAt: number | undefined;
  const handle = (signal: (typeof SIGNALS)[number]): void => {
    const exitCode = 128 + constants.signals[signal];
    const now = performance.now();
    if (firstAt !== undefined) {
      if (now - firstAt > SAME_INTERRUPT_MS) process.exit(exitCode);
      return;
    }
    firstAt = now;
    const end = (): void => process.exit(exitCode);
    stop(signal).then(end, end);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
}
