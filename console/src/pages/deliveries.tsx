import { useState } from 'preact/hooks';
import { call } from '../api.ts';
import { durationText } from '../pure/time.ts';
import { query } from '../router.ts';
import { summaryOf, words } from '../state.ts';
import type { Attempt, Delivery as DeliveryDoc, DeliveryDetail } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Act } from '../ui/dialog.tsx';
import { ChoiceFilter, TextFilter, TimeFilter } from '../ui/form.tsx';
import { Facts, Id, Json, Loaded, Page, Panel, Status, Time } from '../ui/parts.tsx';
import { Replay } from '../ui/replay.tsx';
import { type Column, PagedTable, Table } from '../ui/table.tsx';
import { Views } from '../ui/views.tsx';

const FILTERS = [
  ...['status', 'channel', 'userId', 'operationId', 'endpointId'],
  ...['createdAfter', 'createdBefore'],
];

const COLUMNS: readonly Column<DeliveryDoc>[] = [
  { name: 'Delivery', cell: ({ id }) => <Id of={id} href={`/admin/deliveries/${id}`} /> },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  { name: 'Channel', cell: ({ channel }) => channel },
  { name: 'Event', cell: ({ event }) => event.name },
  { name: 'To', cell: ({ address }) => <span class="address">{String(address)}</span> },
  { name: 'Attempts', isNumber: true, cell: ({ attemptCount }) => attemptCount },
  { name: 'Why', cell: ({ reason, deferral }) => reason ?? deferral?.code ?? '' },
  { name: 'Made', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

function filterOf(from: URLSearchParams): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...from].filter(([name, value]) => value !== '' && FILTERS.includes(name)),
  );
}

export function Deliveries() {
  const [isReplaying, setReplaying] = useState(false);
  const filter = filterOf(query.value);
  const text = new URLSearchParams(filter).toString();
  return (
    <Page
      title="Deliveries"
      actions={
        <button type="button" onClick={() => setReplaying(true)}>
          Send these again…
        </button>
      }
    >
      <div class="filters">
        <ChoiceFilter name="status" label="Status" of={words.value?.deliveryStatuses ?? []} />
        <ChoiceFilter name="channel" label="Channel" of={words.value?.channels ?? []} />
        <TextFilter name="userId" label="User" />
        <TextFilter name="operationId" label="Operation" placeholder="op_…" />
        <TextFilter name="endpointId" label="Webhook endpoint" placeholder="whk_…" />
        <TimeFilter name="createdAfter" label="Made after" />
        <TimeFilter name="createdBefore" label="Made before" />
      </div>
      <Views of="/admin/deliveries" />
      <PagedTable
        label="Deliveries"
        path={text === '' ? '/v1/deliveries' : `/v1/deliveries?${text}`}
        everyMs={5_000}
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty="No delivery of this tenant is like that."
      />
      {isReplaying ? <Replay filter={filter} onClose={() => setReplaying(false)} /> : null}
    </Page>
  );
}

const ATTEMPT_COLUMNS: readonly Column<Attempt>[] = [
  { name: 'At', cell: ({ at }) => <Time at={at} /> },
  { name: 'Outcome', cell: ({ outcome }) => <Status of={outcome} /> },
  { name: 'Provider', cell: ({ provider }) => provider },
  { name: 'Answer', isNumber: true, cell: ({ status }) => status ?? '' },
  {
    name: 'Why',
    cell: ({ code, detail }) => [code, detail].filter((one) => one !== undefined).join(': '),
  },
  { name: 'Took', isNumber: true, cell: ({ ms }) => durationText(ms) },
];

function Head({ delivery }: { readonly delivery: DeliveryDetail }) {
  const { userId, operationId, endpointId, deferral } = delivery;
  return (
    <Facts
      rows={[
        ['Status', <Status key="s" of={delivery.status} />],
        ['Channel', delivery.channel],
        ['Event', delivery.event.name],
        [
          'To',
          <span key="a" class="address">
            {String(delivery.address)}
          </span>,
        ],
        ['User', userId && <a href={`/admin/users/${encodeURIComponent(userId)}`}>{userId}</a>],
        [
          'Operation',
          operationId && <Id of={operationId} href={`/admin/operations/${operationId}`} />,
        ],
        ['Endpoint', endpointId && <Id of={endpointId} href={`/admin/webhooks/${endpointId}`} />],
        ['Why', delivery.reason],
        ['Put off', deferral && `${deferral.code} until ${deferral.until}`],
        ['Not before', delivery.notBefore && <Time at={delivery.notBefore} />],
        ['Attempts used', delivery.attemptsUsed],
        ['Sent again', delivery.resends],
        ['Made', <Time key="m" at={delivery.createdAt} />],
        ['Ended', delivery.completedAt && <Time at={delivery.completedAt} />],
        ['Given up at', <Time key="e" at={delivery.expiresAt} />],
      ]}
    />
  );
}

export function Delivery({ id }: { readonly id: string }) {
  const path = `/v1/deliveries/${encodeURIComponent(id)}`;
  const delivery = useCall<DeliveryDetail>(path, 3_000);
  const resend = async (key: string): Promise<void> => {
    await call(`${path}/resend`, { method: 'POST', key });
    delivery.reload();
  };
  const says = summaryOf('POST /v1/deliveries/:id/resend');
  const button = <Act name="Send again" title="Send again" says={says} act={resend} />;
  return (
    <Page title="Delivery" actions={delivery.data === undefined ? undefined : button}>
      <p class="long-id">
        <code>{id}</code>
      </p>
      <Loaded from={delivery}>
        {(found) => (
          <>
            <Head delivery={found} />
            <Panel title="Attempts">
              <Table
                label="Attempts"
                columns={ATTEMPT_COLUMNS}
                rows={found.attempts}
                keyOf={({ at }) => at}
                empty="It has not been tried yet."
              />
            </Panel>
            <Panel title="Document">
              <Json value={found} label="The delivery as the API has it" />
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}
