import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { CliError, EXIT } from '../exit.ts';
import type { Problem } from './record.ts';

interface RefusedLine extends Problem {
  readonly line: number;
  readonly text: string;
  readonly operationId?: string;
}

/** The lines that did not do what they ask for, with the reasons. There only when there are any. */
export interface RefusedFile {
  readonly path: string;
  readonly count: number;
  add(refused: RefusedLine): void;
  close(): void;
}

const BUFFER_CHARS = 64_000;

const SUFFIX = '.refused.ndjson';

export function refusedPathOf(file: string): string {
  return file + SUFFIX;
}

/**
 * What an earlier run left there is about that run, so it is removed, if its name shows that it is
 * ours; anything else is only written over when there is something to write.
 */
export function createRefusedFile(path: string): RefusedFile {
  if (path.endsWith(SUFFIX)) rmSync(path, { force: true });
  let descriptor: number | undefined;
  let buffer = '';
  let count = 0;
  const flush = (): void => {
    if (buffer === '') return;
    descriptor ??= openFile(path);
    writeSync(descriptor, buffer);
    buffer = '';
  };
  return {
    path,
    get count() {
      return count;
    },
    add: ({ line, code, detail, pointer, operationId, text }) => {
      count += 1;
      // The order of the fields is that of a reader's questions.
      buffer += `${JSON.stringify({ line, code, detail, pointer, operationId, original: text })}\n`;
      if (buffer.length > BUFFER_CHARS) flush();
    },
    close: () => {
      flush();
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new CliError(`The refused lines cannot be written to ${path}: ${code}`, EXIT.usage);
  }
}
