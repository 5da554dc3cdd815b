/** Where progress goes: finished lines always, a transient line only where a terminal can redraw it. */
export type Log = ((line: string) => void) & { readonly live?: (text: string) => void };

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const REDRAW_EVERY_MS = 100;
/** Without a terminal a long step would look hung, so it says now and then that it is still at it. */
const STILL_AT_IT_EVERY_MS = 15_000;
/** Some terminals say 0. */
const COLUMNS_UNKNOWN = 80;
const CLEAR_LINE = '\r\u001b[K';

export function formatSeconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}

export function createTerminalLog(stream: NodeJS.WriteStream): Log {
  if (!stream.isTTY) return (line: string) => void stream.write(`${line}\n`);
  let isLiveShown = false;
  const clear = (): void => {
    if (isLiveShown) stream.write(CLEAR_LINE);
    isLiveShown = false;
  };
  return Object.assign(
    (line: string) => {
      clear();
      stream.write(`${line}\n`);
    },
    {
      live: (text: string) => {
        clear();
        if (text === '') return;
        // A line that wraps cannot be cleared again, so it is cut.
        const width = stream.columns > 0 ? stream.columns : COLUMNS_UNKNOWN;
        stream.write(text.slice(0, width - 1));
        isLiveShown = true;
      },
    },
  );
}

/** Sets the detail that stands in parentheses behind a step's title, such as `64 MB`. */
export type NoteStep = (detail: string) => void;

/**
 * Runs one step and reports it as `• title (detail) … 12.3 s`. A failing step is reported too, and
 * its error passes through unchanged.
 */
export async function runStep<T>(
  log: Log,
  title: string,
  work: (note: NoteStep) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  let detail = '';
  let frame = 0;
  const elapsed = (): string => formatSeconds(performance.now() - startedAt);
  const label = (): string => `${title}${detail === '' ? '' : ` (${detail})`} … ${elapsed()}`;
  const live = log.live;
  const timer = setInterval(
    () => {
      frame += 1;
      if (live === undefined) log(`• ${label()}, still at it`);
      else live(`${SPINNER[frame % SPINNER.length] ?? '•'} ${label()}`);
    },
    live === undefined ? STILL_AT_IT_EVERY_MS : REDRAW_EVERY_MS,
  );
  timer.unref();
  try {
    const result = await work((text) => {
      detail = text;
    });
    log(`• ${label()}`);
    return result;
  } catch (error) {
    log(`• ${label()}, not done`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
