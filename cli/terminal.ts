import type { Io } from './io.ts';

/** Where a command writes: results to standard output, progress and trouble to standard error. */
export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** A line of progress or trouble; stays. */
  note(line: string): void;
  /** Progress that replaces itself: redrawn in place on a terminal, else a line now and then. */
  live(text: () => string): void;
  /** Takes the live line away. */
  clear(): void;
}

interface TerminalOptions extends Pick<Io, 'stdout' | 'stderr'> {
  readonly isQuiet?: boolean;
  readonly now?: () => number;
}

const REDRAW_EVERY_MS = 100;
const PLAIN_EVERY_MS = 5_000;
const COLUMNS_DEFAULT = 100;
const CLEAR_LINE = '\r\u001b[K';

export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, isQuiet = false, now = () => performance.now() } = options;
  const isTty = stderr.isTTY === true;
  const everyMs = isTty ? REDRAW_EVERY_MS : PLAIN_EVERY_MS;
  let isLiveShown = false;
  // Without a terminal the first line may wait: a short run is over before it.
  let lastMs = isTty ? -Infinity : now();

  const clear = (): void => {
    if (isLiveShown) stderr.write(CLEAR_LINE);
    isLiveShown = false;
  };
  return Object.freeze({
    out: (line: string) => {
      clear();
      stdout.write(`${line}\n`);
    },
    note: (line: string) => {
      clear();
      stderr.write(`${line}\n`);
    },
    live: (text: () => string) => {
      if (isQuiet || now() - lastMs < everyMs) return;
      lastMs = now();
      if (!isTty) {
        stderr.write(`${text()}\n`);
        return;
      }
      // A line that wraps could not be cleared again.
      stderr.write(
        CLEAR_LINE + text().slice(0, Math.max(20, (stderr.columns ?? COLUMNS_DEFAULT) - 1)),
      );
      isLiveShown = true;
    },
    clear,
  });
}
