import { OperationActions } from '../ui/operation-actions.tsx';
import { Saga } from '../ui/saga.tsx';
import type { DeliveryBrief, Entry, Operation as Op, Timeline, TimelineEvent } from '../types.ts';
import { type Called, useCall } from '../use-call.ts';
import {
  Facts,
  Id,
  Json,
  Loaded,
  Money,
  Page,
  Panel,
  Status,
  Time,
  Trouble,
} from '../ui/parts.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { words } from '../state.ts';
import { amountOf, partiesOf } from '../ui/operation-bits.tsx';

const ENTRY_COLUMNS: readonly Column<Entry>[] = [
  {
    name: 'Wallet',
    cell: ({ walletId, userId }) => <a href={`/admin/wallets/${walletId}`}>{userId}</a>,
  },
  { name: 'Entry', cell: ({ balanceType, direction }) => `${balanceType} ${direction}` },
  {
    name: 'Amount',
    isNumber: true,
    cell: ({ amount, currency }) => <Money minor={amount} currency={currency} />,
  },
  {
    name: 'Balance after',
    isNumber: true,
    cell: ({ balanceAfter, currency }) => <Money minor={balanceAfter} currency={currency} />,
  },
  { name: 'Seq', isNumber: true, cell: ({ seq }) => seq },
];

const DELIVERY_COLUMNS: readonly Column<DeliveryBrief>[] = [
  { name: 'Delivery', cell: ({ id }) => <Id of={id} href={`/admin/deliveries/${id}`} /> },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  { name: 'Channel', cell: ({ channel }) => channel },
  { name: 'Event', cell: ({ event }) => event.name },
  { name: 'Attempts', isNumber: true, cell: ({ attemptCount }) => attemptCount },
];

function detailsOf({ at: _at, event: _event, ...details }: TimelineEvent): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ');
}

const EVENT_COLUMNS: readonly Column<TimelineEvent & { readonly key: string }>[] = [
  { name: 'At', cell: ({ at }) => <Time at={at} isExact /> },
  { name: 'Event', cell: ({ event }) => <strong>{event}</strong> },
  {
    name: 'Details',
    cell: ({ key: _key, ...event }) => <span class="address">{detailsOf(event)}</span>,
  },
];

const AUDITED = new Set(['signal.received', 'cancel.requested', 'retried', 'resolved']);

function History({ from }: { readonly from: Called<Timeline> }) {
  return (
    <Loaded from={from}>
      {({ events, entries, deliveries }) => {
        const keyed = events.map((event, index) => ({ ...event, key: String(index) }));
        const audit = keyed.filter(({ event }) => AUDITED.has(event));
        const keyOf = ({ key }: { readonly key: string }): string => key;
        return (
          <>
            <Panel title="Entries">
              <Table
                label="Entries of the ledger"
                columns={ENTRY_COLUMNS}
                rows={entries}
                keyOf={({ id }) => id}
                empty="It has written no entries."
              />
            </Panel>
            <Panel title="Deliveries">
              <Table
                label="Deliveries"
                columns={DELIVERY_COLUMNS}
                rows={deliveries}
                keyOf={({ id }) => id}
                empty="Nobody was told about it."
              />
            </Panel>
            <Panel title="Timeline">
              <Table
                label="Timeline"
                columns={EVENT_COLUMNS}
                rows={keyed}
                keyOf={keyOf}
                empty="Nothing has happened to it."
              />
            </Panel>
            <Panel title="What people did">
              <Table
                label="What people did"
                columns={EVENT_COLUMNS}
                rows={audit}
                keyOf={keyOf}
                empty="Nobody has intervened."
              />
            </Panel>
          </>
        );
      }}
    </Loaded>
  );
}

function Head({ operation }: { readonly operation: Op }) {
  const { waitingFor, resolution, error, metadata = {} } = operation;
  return (
    <>
      <Facts
        rows={[
          ['Status', <Status key="s" of={operation.status} />],
          ['Type', operation.type],
          ['Of', partiesOf(operation.input)],
          ['Amount', amountOf(operation.input)],
          ['Accepted', <Time key="a" at={operation.createdAt} />],
          ['Ended', operation.completedAt && <Time at={operation.completedAt} />],
          ['Runs at', operation.runAt && <Time at={operation.runAt} />],
          ['Too late from', operation.deadline && <Time at={operation.deadline} />],
          ['Idempotency key', <code key="k">{operation.idempotencyKey}</code>],
          ['Correlation id', <code key="c">{operation.correlationId}</code>],
          ...Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value] as const),
          ['Waits for', waitingFor && `the signal “${waitingFor.signal}”`],
          ['Resolved', resolution && `${resolution.note} (${resolution.by})`],
        ]}
      />
      {error === undefined ? null : <Trouble problem={error} />}
    </>
  );
}

export function Operation({ id }: { readonly id: string }) {
  const path = `/v1/operations/${encodeURIComponent(id)}`;
  const [operation, timeline] = [
    useCall<Op>(path, 3_000),
    useCall<Timeline>(`${path}/timeline`, 3_000),
  ];
  const reload = (): void => {
    operation.reload();
    timeline.reload();
  };
  return (
    <Page
      title="Operation"
      actions={
        operation.data === undefined ? undefined : (
          <OperationActions operation={operation.data} onDone={reload} />
        )
      }
    >
      <p class="long-id">
        <code>{id}</code>
      </p>
      <Loaded from={operation}>
        {(found) => (
          <>
            <Head operation={found} />
            <Panel title="Course">
              <Saga
                operation={found}
                isOpen={words.value?.openStatuses.includes(found.status) === true}
              />
            </Panel>
            <History from={timeline} />
            <Panel title="Document">
              <Json value={found} label="The operation as clients get it" />
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}
