import type { TextLine } from './lines.ts';
import { LINE_BYTES_MAX } from './record.ts';

/** One record of a CSV, put together from its lines. */
export type RawRecord = Omit<TextLine, 'number'> & {
  readonly line: number;
  /** A quote of it opens and is not closed, or something follows the closing one. */
  readonly isTorn: boolean;
};

/** Known once the first line that says something has been seen. */
export interface Dialect {
  delimiter: string | undefined;
}

/** A record with a quoted line break in it may span this many lines. */
const RECORD_LINES_MAX = 1_000;
const DELIMITERS = [',', ';', '\t'] as const;
const SEPARATOR_LINE = /^"?sep=([,;\t|])"?[,;\t]*$/i;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Joins the lines that a quoted line break keeps apart. A quote that is torn hurts the line that
 * opens it alone: those after it are read anew.
 */
export async function* joinLines(
  lines: AsyncIterable<TextLine>,
  dialect: Dialect,
): AsyncGenerator<RawRecord> {
  let open: TextLine[] = [];
  for await (const line of lines) {
    if (dialect.delimiter === undefined) {
      const said = readDialect(line.text);
      dialect.delimiter = said.delimiter;
      if (said.isOnlyThat) continue;
    }
    open = yield* readOn(open, [line], dialect.delimiter ?? ',');
  }
  while (open.length > 0) {
    const [first, ...rest] = open;
    if (first !== undefined) yield asRecord(first, true);
    open = yield* readOn([], rest, dialect.delimiter ?? ',');
  }
}

/** Reads lines after those of an open record; what is open in the end is left for the next ones. */
function* readOn(
  before: readonly TextLine[],
  lines: readonly TextLine[],
  delimiter: string,
): Generator<RawRecord, TextLine[]> {
  let open = [...before];
  let todo = [...lines];
  for (let line = todo.shift(); line !== undefined; line = todo.shift()) {
    const isInside = open.length > 0;
    const end = line.problem === undefined ? scan(line.text, delimiter, isInside) : 'torn';
    if (end === 'open' && isRoom([...open, line])) {
      open.push(line);
    } else if (!isInside) {
      yield asRecord(line, end !== 'closed');
    } else if (end === 'closed') {
      yield joined([...open, line]);
      open = [];
    } else {
      const [first, ...rest] = open;
      if (first !== undefined) yield asRecord(first, true);
      todo = [...rest, line, ...todo];
      open = [];
    }
  }
  return open;
}

function isRoom(lines: readonly TextLine[]): boolean {
  const chars = lines.reduce((sum, { text }) => sum + text.length, 0);
  return lines.length <= RECORD_LINES_MAX && chars <= LINE_BYTES_MAX;
}

function asRecord({ number, text, ...rest }: TextLine, isTorn: boolean): RawRecord {
  // Files that were put together bring one along in their midst.
  return { ...rest, line: number, text: text.replace(BYTE_ORDER_MARK, ''), isTorn };
}

function joined(lines: readonly TextLine[]): RawRecord {
  const text = lines.map((line) => line.text).join('\n');
  const { number = 0 } = lines[0] ?? {};
  const { endByte = 0 } = lines.at(-1) ?? {};
  return asRecord({ number, text, endByte }, false);
}

/** What the first line says of the file: a separator line of a spreadsheet, or the header. */
function readDialect(text: string): {
  readonly delimiter: string | undefined;
  readonly isOnlyThat: boolean;
} {
  const named = SEPARATOR_LINE.exec(text.replace(BYTE_ORDER_MARK, '').trimEnd())?.[1];
  // Trimming takes the tab that a line names.
  const isTab = /^\uFEFF?"?sep=\t/i.test(text);
  if (named !== undefined || isTab) return { delimiter: named ?? '\t', isOnlyThat: true };
  if (/^[\s,;"]*$/.test(text)) return { delimiter: undefined, isOnlyThat: true };
  const counts = DELIMITERS.map((delimiter) => text.split(delimiter).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))];
  return { delimiter, isOnlyThat: false };
}

type Place = 'start' | 'plain' | 'quoted' | 'after' | 'torn';

/**
 * Where a line leaves its last cell. A quote opens a cell only at its beginning: the one in `5" pipe`
 * is a character like others.
 */
function scan(text: string, delimiter: string, isInside: boolean): 'open' | 'closed' | 'torn' {
  if (!isInside && !text.includes('"')) return 'closed';
  let place: Place = isInside ? 'quoted' : 'start';
  for (let at = isInside ? 0 : text.search(/[^\uFEFF]|$/); at < text.length; at += 1) {
    const char = text.charAt(at);
    if (place !== 'quoted') place = outside(place, char, delimiter);
    else if (char === '"' && text.charAt(at + 1) === '"') at += 1;
    else if (char === '"') place = 'after';
    if (place === 'torn') return 'torn';
  }
  return place === 'quoted' ? 'open' : 'closed';
}

function outside(place: Place, char: string, delimiter: string): Place {
  if (char === delimiter) return 'start';
  if (place === 'start' && char === '"') return 'quoted';
  if (char === ' ' || char === '\t') return place;
  return place === 'after' ? 'torn' : 'plain';
}
