import { type Stats, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** How far the earlier tries of a run had come, as they wrote it down. */
export interface EarlierTries {
  /** No line behind this one had been sent. */
  readonly sentLine: number;
  readonly fresh: number;
  /** Lines that they took for those of an earlier file. */
  readonly taken: number;
}

/**
 * A mark beside a file while it is imported, which says which content it is and how far the run has
 * come: what is known of it up to there is this run's when it is imported again. It is gone once the
 * run has come to its end.
 */
export interface UnfinishedMark {
  /** Of this very content, when an earlier run of it did not come to its end. */
  readonly earlier: EarlierTries | undefined;
  /** An earlier run of other content under this name did not. */
  readonly isOfAnother: boolean;
  note(now: EarlierTries): void;
  remove(): void;
}

const SUFFIX = '.unfinished';
const NO_MARK: UnfinishedMark = Object.freeze({
  earlier: undefined,
  isOfAnother: false,
  note: () => undefined,
  remove: () => undefined,
});
const NOTHING_YET: EarlierTries = { sentLine: 0, fresh: 0, taken: 0 };

/** A file that cannot be told apart (a pipe), or a folder that takes no mark, has none. */
export function markUnfinished(file: string, keyPrefix: string): UnfinishedMark {
  const stats = statsOf(file);
  if (stats === undefined) return NO_MARK;
  const path = file + SUFFIX;
  const content = JSON.stringify({
    importing: keyPrefix,
    bytes: stats.size,
    changedAt: stats.mtime.toISOString(),
  });
  const [head, progress] = (read(path) ?? '').split('\n');
  const earlier = head === content ? readProgress(progress) : undefined;
  const note = (now: EarlierTries): void => {
    try {
      writeFileSync(path, `${content}\n${JSON.stringify(now)}\n`);
    } catch {
      // Without a mark what is known is told, rather once too often.
    }
  };
  note(earlier ?? NOTHING_YET);
  return {
    earlier,
    isOfAnother: head !== undefined && head !== '' && head !== content,
    note,
    remove: () => {
      rmSync(path, { force: true });
    },
  };
}

/** One of an older version says only that there was a run: all that is known is taken for its. */
function readProgress(text: string | undefined): EarlierTries {
  const unknown = { ...NOTHING_YET, sentLine: Infinity };
  if (text === undefined || text === '') return unknown;
  try {
    const { sentLine, fresh, taken } = JSON.parse(text) as Partial<EarlierTries>;
    const isWhole = [sentLine, fresh, taken].map((one) => typeof one === 'number');
    return isWhole.includes(false) ? unknown : ({ sentLine, fresh, taken } as EarlierTries);
  } catch {
    return unknown;
  }
}

function statsOf(file: string): Stats | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true ? stats : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
