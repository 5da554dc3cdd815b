import { parse } from 'csv-parse/sync';
import { findInJson } from '../../core/kernel/json-text.ts';
import { CliError, EXIT } from '../exit.ts';
import { OUTSIDE, nearest } from './columns.ts';
import { type Dialect, joinLines } from './csv-lines.ts';
import { readLines } from './lines.ts';
import { type Content, LINE_BYTES_MAX, type SourceRecord, TEXT_PROBLEMS } from './record.ts';

/**
 * CSV with a header row. `type`, `idempotencyKey`, `ref` and `orderingKey` are fields of the
 * request; `metadata.x` and `preconditions.x` lie inside it; every other column is a field of the
 * input, `userId` as good as `input.userId`, deeper ones by dots (`wallets.0.currency`). Cells are
 * strings, so amounts keep every digit; a column named `x:json` holds JSON. An empty cell is an
 * absent field.
 *
 * What spreadsheets add is passed over: blank rows, columns without a name at the end, blank cells
 * behind the last one, a line `sep=;`, spaces around what is not quoted, byte order marks.
 */
export async function* readCsv(
  source: AsyncIterable<Uint8Array>,
  /** The input's fields that a column may be; without them any name will do. */
  fields?: ReadonlySet<string>,
): AsyncGenerator<SourceRecord> {
  let header: Header | undefined;
  const dialect: Dialect = { delimiter: undefined };
  for await (const record of joinLines(readLines(source, LINE_BYTES_MAX), dialect)) {
    const { text, problem, isTorn, ...place } = record;
    const cells = isTorn || problem !== undefined ? undefined : cellsOf(text, dialect);
    if (cells?.every((cell) => cell === '') === true) continue;
    if (header === undefined) {
      header = parseHeader(cells, { ...place, text, problem, fields });
      continue;
    }
    if (problem !== undefined) yield { ...place, text, problem: TEXT_PROBLEMS[problem] };
    else yield { ...place, text, ...parseRecord(cells, header) };
  }
}

interface Column {
  readonly name: string;
  readonly path: readonly string[];
  readonly isJson: boolean;
}

interface Header {
  readonly columns: readonly Column[];
}

const NESTED: ReadonlySet<string> = new Set(['input', 'metadata', 'preconditions']);
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '']);
const JSON_SUFFIX = ':json';

/** @throws CliError: without a header that makes sense no line of the file does. */
function parseHeader(cells: readonly string[] | undefined, line: HeaderLine): Header {
  const wrong = (what: string): CliError =>
    new CliError(`The header of the CSV (line ${String(line.line)}) ${what}.`, EXIT.usage);
  if (line.problem === 'not-utf8') throw wrong('is not valid UTF-8: save the file as UTF-8');
  if (line.text.includes('\r')) {
    throw wrong('has line ends of CR alone: save the file with LF or CRLF');
  }
  if (line.text.trimStart().startsWith('{')) {
    throw wrong('is JSON, not CSV: say --format ndjson');
  }
  if (cells === undefined) throw wrong('is not valid CSV');
  const columns = withoutBlankEnd(cells).map(columnOf);
  const paths = columns.map(({ path }) => path.join('.'));
  if (!paths.includes('type')) {
    const meant = cells.find((cell) => nearest(cell, ['type']) !== undefined);
    throw wrong(`has no column "type"${meant === undefined ? '' : `: did you mean "${meant}"?`}`);
  }
  const repeated = paths.find((path, index) => paths.indexOf(path) !== index);
  if (repeated !== undefined) throw wrong(`names "${repeated}" twice`);
  const bad = columns.find(({ path }) => path.some((segment) => FORBIDDEN.has(segment)));
  if (bad !== undefined) throw wrong(`has a column "${bad.name}", which cannot be a field`);
  const strange = line.fields === undefined ? [] : strangers(columns, line.fields);
  if (strange.length > 0) throw wrong(`has ${strange.join(', and ')}`);
  return { columns };
}

interface HeaderLine {
  readonly line: number;
  readonly text: string;
  readonly problem: keyof typeof TEXT_PROBLEMS | undefined;
  readonly fields: ReadonlySet<string> | undefined;
}

/** Columns that are no field of any operation: all of its lines would be refused for them. */
function strangers(columns: readonly Column[], fields: ReadonlySet<string>): string[] {
  const known = new Set([...fields, ...OUTSIDE]);
  return columns
    .filter(({ path: [first, second = ''] }) => first === 'input' && !fields.has(second))
    .map(({ name }) => {
      const meant = nearest(name.replace(/^input\.|:json$/g, ''), known);
      const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
      return `a column "${name}", which no operation has${hint}`;
    });
}

function withoutBlankEnd(cells: readonly string[]): readonly string[] {
  return cells.slice(0, cells.findLastIndex((cell) => cell !== '') + 1);
}

function columnOf(name: string): Column {
  const isJson = name.endsWith(JSON_SUFFIX);
  const segments = (isJson ? name.slice(0, -JSON_SUFFIX.length) : name).split('.');
  const [first = ''] = segments;
  const isPlaced = NESTED.has(first) || (segments.length === 1 && OUTSIDE.has(first));
  return { name, isJson, path: isPlaced ? segments : ['input', ...segments] };
}

/** Undefined when the text is not one row. Blank cells are empty, and spaces count where quoted. */
function cellsOf(text: string, { delimiter = ',' }: Dialect): readonly string[] | undefined {
  try {
    const rows: readonly (readonly string[])[] = parse(text, {
      delimiter,
      relax_column_count: true,
      relax_quotes: true, // whether they are closed has been looked at
      skip_empty_lines: true,
      trim: true,
      cast: (cell, { quoting }) => (quoting && cell.trim() !== '' ? cell : cell.trim()),
    });
    return rows.length > 1 ? undefined : (rows[0] ?? []);
  } catch {
    return undefined;
  }
}

function parseRecord(row: readonly string[] | undefined, { columns }: Header): Content {
  const refused = (detail: string): Content => ({ problem: { code: 'invalid_csv', detail } });
  if (row === undefined) return refused('The record is not valid CSV (look at its quotes)');
  // A spreadsheet writes as many cells as its widest row has, so blank ones too many say nothing.
  const cells = row.length > columns.length ? withoutBlankEnd(row) : row;
  if (cells.length > columns.length) {
    const place = `cell ${String(cells.length)} of the record`;
    return refused(`There is something in ${place}, and no column of the header stands above it`);
  }
  if (row.length < columns.length) {
    const counts = `${String(row.length)} cells, and the header has ${String(columns.length)}`;
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
