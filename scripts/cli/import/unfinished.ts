import { type Stats, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * A mark beside a file while it is imported, which says which content it is: what is known of it when
 * it is imported again is this run's. It is gone once the run has come to its end.
 */
export interface UnfinishedMark {
  /** Whether an earlier run of this very content did not come to its end. */
  readonly wasThere: boolean;
  remove(): void;
}

const SUFFIX = '.unfinished';
const NO_MARK: UnfinishedMark = Object.freeze({ wasThere: false, remove: () => undefined });

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
  const wasThere = read(path) === `${content}\n`;
  try {
    writeFileSync(path, `${content}\n`);
  } catch {
    return { ...NO_MARK, wasThere };
  }
  return {
    wasThere,
    remove: () => {
      rmSync(path, { force: true });
    },
  };
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
