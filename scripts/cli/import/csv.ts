import { parse } from 'csv-parse/sync';
import { findInJson } from '../../../core/kernel/json-text.ts';
import { CliError, EXIT } from '../exit.ts';
import { type TextLine, readLines } from './lines.ts';
import { type Content, LINE_BYTES_MAX, type SourceRecord, TEXT_PROBLEMS } from './record.ts';

/**
 * CSV with a header row. `type`, `idempotencyKey`, `ref` and `orderingKey` are fields of the
 * request; `metadata.x` and `preconditions.x` lie inside it; every other column is a field of the
 * input, `userId` as good as `input.userId`, deeper ones by dots (`wallets.0.currency`). Cells are
 * strings, so amounts keep every digit; a column named `x:json` holds JSON. An empty cell is an
 * absent field.
 *
 * A record is put together from lines by counting quotes before it is parsed, so that one broken
 * quote refuses the lines that it swallows and no more, and refuses them by name.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  let header: Header | undefined;
  for await (const record of joinLines(readLines(source, LINE_BYTES_MAX))) {
    const { text, problem, ...place } = record;
    if (text.trim() === '') continue;
    if (header === undefined) {
      header = parseHeader(text, place.line);
      continue;
    }
    if (problem !== undefined) yield { ...place, text, problem: TEXT_PROBLEMS[problem] };
    else yield { ...place, text, ...parseRecord(text, header) };
  }
}

type RawRecord = Omit<TextLine, 'number'> & { readonly line: number };

/** A record with a quoted line break in it may span this many lines. */
const RECORD_LINES_MAX = 1_000;

async function* joinLines(lines: AsyncIterable<TextLine>): AsyncGenerator<RawRecord> {
  let open: TextLine[] = [];
  let openChars = 0;
  for await (const line of lines) {
    const isQuoteLeft = line.problem === undefined && !hasClosedQuotes(line.text);
    if (open.length === 0 && !isQuoteLeft) {
      yield asRecord(line);
      continue;
    }
    open.push(line);
    openChars += line.text.length;
    if (line.problem !== undefined || isTooMuch(open.length, openChars)) {
      yield* open.map(asRecord); // the quote is not closed: line by line, each to be judged
    } else if (isQuoteLeft && open.length > 1) {
      yield { ...asRecord(open[0] ?? line), text: textOf(open), endByte: line.endByte };
    } else {
      continue;
    }
    open = [];
    openChars = 0;
  }
  yield* open.map(asRecord);
}

const isTooMuch = (lines: number, chars: number): boolean =>
  lines > RECORD_LINES_MAX || chars > LINE_BYTES_MAX;
const asRecord = ({ number, ...rest }: TextLine): RawRecord => ({ line: number, ...rest });
const textOf = (lines: readonly TextLine[]): string => lines.map(({ text }) => text).join('\n');

function hasClosedQuotes(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count += 1;
  return count % 2 === 0;
}

interface Column {
  readonly name: string;
  readonly path: readonly string[];
  readonly isJson: boolean;
}

interface Header {
  readonly delimiter: string;
  readonly columns: readonly Column[];
}

const DELIMITERS = [',', ';', '\t'] as const;
const OUTSIDE: ReadonlySet<string> = new Set(['type', 'idempotencyKey', 'ref', 'orderingKey']);
const NESTED: ReadonlySet<string> = new Set(['input', 'metadata', 'preconditions']);
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '']);
const JSON_SUFFIX = ':json';

/** @throws CliError: without a header that makes sense no line of the file does. */
function parseHeader(text: string, line: number): Header {
  const wrong = (what: string): CliError =>
    new CliError(`The header of the CSV (line ${String(line)}) ${what}.`, EXIT.usage);
  const counts = DELIMITERS.map((delimiter) => text.split(delimiter).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
  const cells = cellsOf(text, delimiter);
  if (cells === undefined) throw wrong('is not valid CSV');
  const columns = cells.map((cell) => columnOf(cell.trim()));
  const paths = columns.map(({ path }) => path.join('.'));
  if (!paths.includes('type')) throw wrong('has no column "type"');
  const repeated = paths.find((path, index) => paths.indexOf(path) !== index);
  if (repeated !== undefined) throw wrong(`names "${repeated}" twice`);
  const bad = columns.find(({ path }) => path.some((segment) => FORBIDDEN.has(segment)));
  if (bad !== undefined) throw wrong(`has a column "${bad.name}", which cannot be a field`);
  return { delimiter, columns };
}

function columnOf(name: string): Column {
  const isJson = name.endsWith(JSON_SUFFIX);
  const segments = (isJson ? name.slice(0, -JSON_SUFFIX.length) : name).split('.');
  const [first = ''] = segments;
  const isPlaced = NESTED.has(first) || (segments.length === 1 && OUTSIDE.has(first));
  return { name, isJson, path: isPlaced ? segments : ['input', ...segments] };
}

function cellsOf(text: string, delimiter: string): readonly string[] | undefined {
  try {
    const options = { delimiter, relax_column_count: true, skip_empty_lines: true };
    const rows: readonly (readonly string[])[] = parse(text, options);
    return rows.length === 1 ? rows[0] : undefined;
  } catch {
    return undefined;
  }
}

function parseRecord(text: string, { delimiter, columns }: Header): Content {
  const refused = (detail: string): Content => ({ problem: { code: 'invalid_csv', detail } });
  const cells = cellsOf(text, delimiter);
  if (cells === undefined) return refused('The record is not valid CSV (look at its quotes)');
  if (cells.length !== columns.length) {
    const counts = `${String(cells.length)} cells, and the header has ${String(columns.length)}`;
    return refused(`The record has ${counts}`);
  }
  const item: Node = {};
  for (const [index, { name, path, isJson }] of columns.entries()) {
    const cell = cells[index] ?? '';
    if (cell === '') continue;
    const value = isJson ? jsonIn(cell) : cell;
    if (value === undefined) return refused(`The cell "${name}" is not valid JSON`);
    const lost = isJson ? findInJson(cell) : undefined;
    if (lost !== undefined) return refused(`The cell "${name}": ${lost.pointer} ${lost.detail}`);
    assign(item, path, value);
  }
  return { item };
}

/** Undefined, which JSON cannot say, when it is none. */
function jsonIn(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
}

type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Sets a field at a path; what lies under a number is an array. */
function assign(root: Node, path: readonly string[], value: unknown): void {
  let node = root;
  for (const [index, segment] of path.entries()) {
    const next = path[index + 1];
    if (next === undefined) {
      node[segment] = value;
      return;
    }
    const found = node[segment];
    const child: unknown = isNode(found) ? found : /^\d{1,3}$/.test(next) ? [] : {};
    node[segment] = child;
    if (isNode(child)) node = child;
  }
}
