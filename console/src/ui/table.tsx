import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { tenant } from '../state.ts';
import type { Page as PageOf } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Empty, Loaded } from './parts.tsx';

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ComponentChildren;
  readonly isNumber?: boolean;
}

interface TableProps<T> {
  /** What it lists, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly empty: ComponentChildren;
}

/** On a phone every row is a card whose cells bear the names of their columns. */
export function Table<T>({ label, columns, rows, keyOf, empty }: TableProps<T>) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  const classOf = ({ isNumber = false }: Column<T>): string => (isNumber ? 'number' : '');
  return (
    <table aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.name} scope="col" class={classOf(column)}>
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <td key={column.name} class={classOf(column)} data-name={column.name}>
                <span>{column.cell(row)}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ListProps<T> extends Omit<TableProps<T>, 'rows'> {
  /** Its address with filters, without limit and cursor. */
  readonly path: string;
  readonly everyMs?: number;
}

const ROWS = 50;

/** A list of any length, a page at a time: each costs the same, however deep. */
export function PagedTable<T>({ path, everyMs, ...table }: ListProps<T>) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  useEffect(() => setCursors([]), [path, tenant.value]);
  const cursor = cursors.at(-1);
  const joint = path.includes('?') ? '&' : '?';
  const tail = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  // Only the newest page changes by itself.
  const every = cursor === undefined ? everyMs : undefined;
  const page = useCall<PageOf<T>>(`${path}${joint}limit=${String(ROWS)}${tail}`, every);
  return (
    <Loaded from={page}>
      {({ items, nextCursor }) => (
        <>
          <Table {...table} rows={items} />
          <Pager label={table.label} cursors={cursors} next={nextCursor} onTurn={setCursors} />
        </>
      )}
    </Loaded>
  );
}

interface PagerProps {
  readonly label: string;
  /** Of the pages from the second to this one. */
  readonly cursors: readonly string[];
  readonly next: string | null;
  readonly onTurn: (cursors: readonly string[]) => void;
}

function Pager({ label, cursors, next, onTurn }: PagerProps) {
  const isFirst = cursors.length === 0;
  if (isFirst && next === null) return null;
  return (
    <nav class="pager" aria-label={`Pages of ${label}`}>
      <button type="button" disabled={isFirst} onClick={() => onTurn(cursors.slice(0, -1))}>
        Previous
      </button>
      <span aria-live="polite">Page {cursors.length + 1}</span>
      <button
        type="button"
        disabled={next === null}
        onClick={() => onTurn(next === null ? cursors : [...cursors, next])}
      >
        Next
      </button>
    </nav>
  );
}
