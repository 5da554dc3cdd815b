import type { ComponentChildren } from 'preact';
import { type Known, autoscale, breakers, metrics, points, readiness } from '../live.ts';
import type { Point } from '../pure/rates.ts';
import { durationText } from '../pure/time.ts';
import type { QueueDepth } from '../types.ts';
import { Chart } from '../ui/chart.tsx';
import { Empty, Page, Panel, Status, Trouble } from '../ui/parts.tsx';
import { type Column, Table } from '../ui/table.tsx';

const perSecond = (value: number): string =>
  value >= 100 || value === 0 ? String(Math.round(value)) : value.toPrecision(2);
const seconds = (value: number): string => durationText(value * 1_000);
const count = (value: number): string => Math.round(value).toLocaleString('en');

interface NumberProps {
  readonly label: string;
  readonly value: number | null | undefined;
  readonly format: (value: number) => string;
  readonly href?: string;
  readonly isBad?: boolean;
}

function Figure({ label, value, format, href, isBad = false }: NumberProps) {
  const text = value === null || value === undefined ? '–' : format(value);
  const shown = (
    <>
      <span class="figure-label">{label}</span>
      <span class={`figure-value ${isBad ? 'bad-text' : ''}`}>{text}</span>
    </>
  );
  return href === undefined ? (
    <div class="figure">{shown}</div>
  ) : (
    <a class="figure" href={href}>
      {shown}
    </a>
  );
}

function Figures() {
  const last = points.value.at(-1);
  const look = metrics.value.kind === 'known' ? metrics.value.value : undefined;
  const attention = look?.needsAttention;
  return (
    <div class="figures" data-testid="figures">
      <Figure label="Accepted /s" value={last?.accepted} format={perSecond} />
      <Figure label="Settled /s" value={last?.settled} format={perSecond} />
      <Figure label="Refused /s" value={last?.refused} format={perSecond} />
      <Figure label="Accepted in all" value={look?.accepted} format={count} />
      <Figure label="Open" value={look?.open} format={count} />
      <Figure
        label="Needs attention"
        value={attention}
        format={count}
        href="/admin/attention"
        isBad={(attention ?? 0) > 0}
      />
    </div>
  );
}

type Series = 'accepted' | 'settled' | 'refused' | 'open' | 'p50' | 'p99';
const valuesOf = (all: readonly Point[], name: Series): readonly (number | null)[] =>
  all.map((point) => point[name]);

function Charts() {
  const all = points.value;
  if (all.length < 2) return <Empty>The charts begin with the second look, in a moment.</Empty>;
  const times = all.map(({ atMs }) => atMs / 1_000);
  return (
    <div class="charts">
      <Panel title="Per second">
        <Chart
          label="Operations per second"
          at={times}
          format={perSecond}
          lines={[
            { label: 'accepted', tone: 'accent', values: valuesOf(all, 'accepted') },
            { label: 'settled', tone: 'second', values: valuesOf(all, 'settled') },
            { label: 'refused', tone: 'bad', values: valuesOf(all, 'refused') },
          ]}
        />
      </Panel>
      <Panel title="Time to answer a write">
        <Chart
          label="Time to answer a write"
          at={times}
          format={seconds}
          lines={[
            { label: 'p50', tone: 'accent', values: valuesOf(all, 'p50') },
            { label: 'p99', tone: 'warn', values: valuesOf(all, 'p99') },
          ]}
        />
      </Panel>
      <Panel title="Not yet settled">
        <Chart
          label="Operations that are not yet settled"
          at={times}
          format={count}
          isWhole
          lines={[{ label: 'open', tone: 'accent', values: valuesOf(all, 'open') }]}
        />
      </Panel>
    </div>
  );
}

interface SourceProps<T> {
  readonly from: Known<T>;
  readonly name: string;
  readonly children: (value: T) => ComponentChildren;
}

/** One source may be away while the others answer; each says so in its own place. */
function Source<T>({ from, name, children }: SourceProps<T>) {
  if (from.kind === 'unasked') return <p class="loading">Loading…</p>;
  if (from.kind === 'known') return <>{children(from.value)}</>;
  return (
    <>
      <p>{name} cannot be read now.</p>
      <Trouble problem={from.problem} />
    </>
  );
}

const jobsOf = ({ waiting, prioritised, active, due }: QueueDepth): number =>
  waiting + prioritised + active + due;

const QUEUE_COLUMNS: readonly Column<QueueDepth>[] = [
  {
    name: 'Queue',
    cell: ({ queue }) => <a href={`/admin/queues/queue/${encodeURIComponent(queue)}`}>{queue}</a>,
  },
  { name: 'Waiting', isNumber: true, cell: (one) => count(one.waiting + one.prioritised) },
  { name: 'Active', isNumber: true, cell: ({ active }) => count(active) },
  { name: 'Delayed', isNumber: true, cell: ({ delayed }) => count(delayed) },
  {
    name: 'Oldest wait',
    isNumber: true,
    cell: ({ oldestWaitSeconds }) => (oldestWaitSeconds === 0 ? '–' : seconds(oldestWaitSeconds)),
  },
  {
    name: 'Workers',
    isNumber: true,
    cell: ({ workers }) => (workers === 0 ? <Status of="away" /> : workers),
  },
];

function Dependencies() {
  return (
    <Panel title="Servers">
      <Source from={readiness.value} name="Readiness">
        {({ dependencies }) => (
          <Table
            label="Servers"
            rows={Object.entries(dependencies)}
            keyOf={([name]) => name}
            empty="None is named."
            columns={[
              { name: 'Server', cell: ([name]) => name },
              { name: 'State', cell: ([, { ok }]) => <Status of={ok ? 'ok' : 'away'} /> },
              { name: 'Why', cell: ([, { reason }]) => reason ?? '–' },
              {
                name: 'Took',
                isNumber: true,
                cell: ([, { tookMs }]) => durationText(tookMs),
              },
            ]}
          />
        )}
      </Source>
    </Panel>
  );
}

function Pools() {
  return (
    <Panel title="Workers">
      <Source from={autoscale.value} name="The queues">
        {({ pools }) => (
          <Table
            label="Pools of workers"
            rows={Object.entries(pools)}
            keyOf={([name]) => name}
            empty="There is no pool."
            columns={[
              { name: 'Pool', cell: ([name]) => name },
              {
                name: 'Now',
                isNumber: true,
                cell: ([, { workers }]) => (workers === 0 ? <Status of="away" /> : workers),
              },
              { name: 'Advised', isNumber: true, cell: ([, one]) => one.recommendedReplicas },
              { name: 'Backlog', isNumber: true, cell: ([, { backlog }]) => count(backlog) },
            ]}
          />
        )}
      </Source>
    </Panel>
  );
}

function Breakers() {
  return (
    <Panel title="Breakers">
      <Table
        label="Breakers"
        rows={breakers.value}
        keyOf={({ name }) => name}
        empty="None is known to this process. Workers of their own show theirs at their /metrics."
        columns={[
          { name: 'To', cell: ({ name }) => name },
          {
            name: 'State',
            cell: ({ open }) => (open === 0 ? <Status of="ok" /> : <Status of="failed" />),
          },
          { name: 'Open', isNumber: true, cell: ({ open }) => open },
        ]}
      />
    </Panel>
  );
}

/** Something to do, or nobody to do it. */
const isWorthALook = (one: QueueDepth): boolean =>
  jobsOf(one) + one.delayed > 0 || one.workers === 0;

function Queues({ of }: { readonly of: readonly QueueDepth[] }) {
  const sorted = [...of].sort((a, b) => jobsOf(b) - jobsOf(a));
  const idle = sorted.filter((one) => !isWorthALook(one));
  const table = { columns: QUEUE_COLUMNS, keyOf: ({ queue }: QueueDepth) => queue };
  return (
    <>
      <Table
        {...table}
        label="Queues"
        rows={sorted.filter(isWorthALook)}
        empty="No queue has anything to do, and all have workers."
      />
      {idle.length === 0 ? null : (
        <details>
          <summary>
            {idle.length} with nothing to do: {idle[0]?.queue}
            {idle.length > 1 ? ' and others' : ''}
          </summary>
          <Table {...table} label="Queues with nothing to do" rows={idle} empty="" />
        </details>
      )}
    </>
  );
}

export function Overview() {
  const { value: of } = metrics;
  return (
    <Page title="Overview">
      {of.kind === 'away' ? (
        <>
          <p>The metrics cannot be read now; what stands below is what was last known.</p>
          <Trouble problem={of.problem} />
        </>
      ) : null}
      <Figures />
      <Charts />
      <div class="columns">
        <Dependencies />
        <Pools />
        <Breakers />
      </div>
      <Panel title="Queues" aside={<a href="/admin/queues">Bull Board</a>}>
        <Source from={autoscale.value} name="The queues">
          {({ queues }) => <Queues of={queues} />}
        </Source>
      </Panel>
      <p class="faint">
        Accepted, refused and times are of the API process that answered, since it started; open and
        needs attention are of all tenants. Where workers are processes of their own, settled is
        what came in and is not open any more.
      </p>
    </Page>
  );
}
