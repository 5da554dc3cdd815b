import { type Stats, createReadStream, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { type Readable, addAbortSignal } from 'node:stream';
import { CliError, EXIT } from '../exit.ts';
import { readCsv } from './csv.ts';
import { readNdjson } from './ndjson.ts';
import type { SourceRecord } from './record.ts';

export const FORMATS = ['ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export const STDIN = '-';

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.tsv': 'csv',
};
const READ_BYTES = 262_144;

export interface Source {
  /** What generated keys and the file of refused lines are named after. */
  readonly name: string;
  readonly bytesTotal: number | undefined;
  records(signal: AbortSignal): AsyncGenerator<SourceRecord>;
}

/** @throws CliError when the file cannot be read or its format is unknown. */
export function openSource(file: string, format: Format | undefined, stdin: Readable): Source {
  if (file === STDIN) {
    const read = readerOf(format ?? 'ndjson');
    return {
      name: 'stdin',
      bytesTotal: undefined,
      records: (signal) => read(addAbortSignal(signal, stdin)),
    };
  }
  const stats = statsOf(file);
  if (stats.isDirectory()) throw new CliError(`${file} is a folder, not a file.`, EXIT.usage);
  const known = format ?? BY_EXTENSION[extname(file).toLowerCase()];
  if (known === undefined) {
    const ways = `name it --format ${FORMATS.join(' or ')}`;
    throw new CliError(`The format of ${file} does not show in its name: ${ways}.`, EXIT.usage);
  }
  const read = readerOf(known);
  return {
    name: basename(file),
    // A pipe (such as `<(…)` of a shell) has no size.
    bytesTotal: stats.isFile() ? stats.size : undefined,
    records: (signal) => read(createReadStream(file, { signal, highWaterMark: READ_BYTES })),
  };
}

function statsOf(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const what = code === 'ENOENT' ? `There is no file ${file}` : `${file} cannot be read: ${code}`;
    throw new CliError(`${what}.`, EXIT.usage, error);
  }
}

function readerOf(format: Format) {
  return format === 'csv' ? readCsv : readNdjson;
}
