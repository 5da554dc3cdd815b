import { type Stats, createReadStream, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { type Readable, addAbortSignal } from 'node:stream';
import { CliError, EXIT } from '../exit.ts';
import { inputFields } from './columns.ts';
import { readCsv } from './csv.ts';
import { refuseUtf16 } from './encoding.ts';
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
    const read = readerOf(format);
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

function readerOf(format: Format | undefined) {
  return async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
    const { start, all } = await peek(refuseUtf16(bytes));
    if ((format ?? guessFormat(start)) === 'csv') {
      yield* readCsv(all, inputFields());
      return;
    }
    refuseNoNdjson(start);
    yield* readNdjson(all);
  };
}

/** Of what has no name: JSON begins with a bracket, and nothing else does. */
function guessFormat(start: string): Format {
  return start === '' || /^[[{]/.test(start) ? 'ndjson' : 'csv';
}

/** @throws CliError when no line can be one of NDJSON, so that this is said once. */
function refuseNoNdjson(start: string): void {
  if (start.startsWith('[')) {
    const how = 'one object a line is wanted (jq -c ".[]" makes it so)';
    throw new CliError(`The input is a JSON array: ${how}.`, EXIT.usage);
  }
  const cells = start.split(/[,;\t]/).map((cell) => cell.trim().replaceAll('"', ''));
  if (cells.length > 1 && cells.includes('type')) {
    throw new CliError('The input looks like CSV, not NDJSON: say --format csv.', EXIT.usage);
  }
}

const PEEK_BYTES_MAX = 65_536;

/** The first line that is not blank, as far as it is there in the first bytes, and all the bytes. */
async function peek(bytes: AsyncGenerator<Uint8Array>) {
  const seen: Uint8Array[] = [];
  let size = 0;
  let start = '';
  while (size < PEEK_BYTES_MAX) {
    const next = await bytes.next();
    if (next.done === true) break;
    seen.push(Uint8Array.from(next.value)); // the stream may use the memory of the chunk again
    size += next.value.length;
    start = Buffer.concat(seen).toString('utf8').trimStart();
    if (/[\r\n]/.test(start)) break;
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* seen;
    yield* bytes;
  };
  return { start: /^[^\r\n]*/.exec(start)?.[0] ?? '', all: all() };
}
