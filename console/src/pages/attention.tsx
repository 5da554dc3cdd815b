import { useEffect, useState } from 'preact/hooks';
import { call, problemOf } from '../api.ts';
import { type Group, groupsOf } from '../pure/groups.ts';
import { summaryOf, tenant } from '../state.ts';
import type { Operation, Page as PageOf, Problem } from '../types.ts';
import { Empty, Id, Page, Panel, Time, Trouble } from '../ui/parts.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { amountOf, partiesOf } from '../ui/operation-bits.tsx';

const PAGE = 200;
/** Whoever has more of them is helped by their kinds, not by each. */
const READ_MAX = 1_000;
const SHOWN = 20;

interface Inbox {
  readonly items: readonly Operation[];
  readonly hasMore: boolean;
}

async function readInbox(signal: AbortSignal): Promise<Inbox> {
  const items: Operation[] = [];
  let cursor: string | null = null;
  do {
    const tail: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/v1/operations?status=needs_attention&limit=${String(PAGE)}${tail}`;
    const page: PageOf<Operation> = await call(path, { signal });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < READ_MAX);
  return { items, hasMore: cursor !== null };
}

const COLUMNS: readonly Column<Operation>[] = [
  { name: 'Operation', cell: ({ id }) => <Id of={id} href={`/admin/operations/${id}`} /> },
  { name: 'Of', cell: ({ input }) => partiesOf(input) },
  { name: 'Amount', isNumber: true, cell: ({ input }) => amountOf(input) },
  { name: 'Accepted', cell: ({ createdAt }) => <Time at={createdAt} ago /> },
];

function OneGroup({ group }: { readonly group: Group }) {
  const { code, type, items, detail } = group;
  const [shown, setShown] = useState(SHOWN);
  return (
    <Panel
      title={`${type}: ${code}`}
      aside={
        <span class="count">
          {items.length === 1 ? '1 operation' : `${String(items.length)} operations`}
        </span>
      }
    >
      <p>
        {detail} ·{' '}
        <a href={`/problems/${encodeURIComponent(code)}`} target="_blank" rel="noreferrer">
          What {code} means
        </a>
      </p>
      <Table
        label={`${type}: ${code}`}
        columns={COLUMNS}
        rows={items.slice(0, shown)}
        keyOf={({ id }) => id}
        empty=""
      />
      {items.length > shown ? (
        <button type="button" onClick={() => setShown(shown + 5 * SHOWN)}>
          Show more
        </button>
      ) : null}
    </Panel>
  );
}

/** What has to be looked at by a person, by what went wrong: mostly one cause has many of them. */
export function Attention() {
  const [inbox, setInbox] = useState<Inbox>();
  const [problem, setProblem] = useState<Problem>();
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    readInbox(gone.signal).then(
      (found) => {
        setInbox(found);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!gone.signal.aborted) setProblem(problemOf(error));
      },
    );
    return () => gone.abort();
  }, [times, tenant.value]);
  const again = (
    <button type="button" onClick={() => setTimes(times + 1)}>
      Look again
    </button>
  );
  return (
    <Page title="Needs attention" actions={again}>
      {problem === undefined ? null : <Trouble problem={problem} />}
      {inbox === undefined && problem === undefined ? <p class="loading">Loading…</p> : null}
      {inbox?.items.length === 0 ? <Empty>Nothing of this tenant waits for a person.</Empty> : null}
      {inbox?.hasMore === true ? (
        <p>These are the newest {READ_MAX.toLocaleString('en')}; there are more.</p>
      ) : null}
      {groupsOf(inbox?.items ?? []).map((group) => (
        <OneGroup key={`${group.type} ${group.code}`} group={group} />
      ))}
      <details>
        <summary>What can be done</summary>
        <p>
          <strong>Retry.</strong> {summaryOf('POST /v1/operations/:id/retry').replaceAll('`', '')}
        </p>
        <p>
          <strong>Resolve.</strong>{' '}
          {summaryOf('POST /v1/operations/:id/resolve').replaceAll('`', '')}
        </p>
      </details>
    </Page>
  );
}
