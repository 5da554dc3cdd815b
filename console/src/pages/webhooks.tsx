import { useState } from 'preact/hooks';
import { call } from '../api.ts';
import { summaryOf } from '../state.ts';
import type { DeliveryDetail, WebhookEndpoint } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Act, Dialog } from '../ui/dialog.tsx';
import { Facts, Id, Loaded, Page, Status, Time } from '../ui/parts.tsx';
import { type Column, PagedTable } from '../ui/table.tsx';
import { navigate } from '../router.ts';

const COLUMNS: readonly Column<WebhookEndpoint>[] = [
  { name: 'Endpoint', cell: ({ id }) => <Id of={id} href={`/admin/webhooks/${id}`} /> },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  { name: 'URL', cell: ({ url }) => <span class="address">{url}</span> },
  { name: 'Events', cell: ({ events }) => events.join(', ') },
  {
    name: 'Failing since',
    cell: ({ failingSince }) => (failingSince === undefined ? '' : <Time at={failingSince} ago />),
  },
];

export function Webhooks() {
  return (
    <Page title="Webhook endpoints">
      <PagedTable
        label="Webhook endpoints"
        path="/v1/webhook-endpoints"
        everyMs={5_000}
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty="This tenant has no webhook endpoint. One is made with POST /v1/webhook-endpoints."
      />
    </Page>
  );
}

interface EndpointProps {
  readonly endpoint: WebhookEndpoint;
  readonly onDone: () => void;
}

const pathOf = ({ id }: WebhookEndpoint): string => `/v1/webhook-endpoints/${id}`;

function Toggle({ endpoint, onDone }: EndpointProps) {
  const isOn = endpoint.status === 'enabled';
  const name = isOn ? 'Disable' : 'Enable';
  const act = async (): Promise<void> => {
    await call(pathOf(endpoint), {
      method: 'PATCH',
      body: { status: isOn ? 'disabled' : 'enabled' },
    });
    onDone();
  };
  return (
    <Act
      name={name}
      title={`${name} the endpoint`}
      says={summaryOf('PATCH /v1/webhook-endpoints/:id')}
      isGrave={isOn}
      act={act}
    />
  );
}

function Test({ endpoint }: EndpointProps) {
  const act = async (key: string): Promise<void> => {
    const path = `${pathOf(endpoint)}/test`;
    const { id } = await call<DeliveryDetail>(path, { method: 'POST', key });
    navigate(`/admin/deliveries/${id}`);
  };
  const says = summaryOf('POST /v1/webhook-endpoints/:id/test');
  return <Act name="Test" title="Test the endpoint" says={says} act={act} />;
}

function Rotate({ endpoint, onDone }: EndpointProps) {
  const [secret, setSecret] = useState<string>();
  const act = async (key: string): Promise<void> => {
    const path = `${pathOf(endpoint)}/rotate-secret`;
    const changed = await call<WebhookEndpoint>(path, { method: 'POST', key });
    setSecret(changed.secret ?? 'shown before, and not kept');
    onDone();
  };
  const says = summaryOf('POST /v1/webhook-endpoints/:id/rotate-secret');
  return (
    <>
      <Act name="Rotate secret" title="Rotate the secret" says={says} isGrave act={act} />
      {secret === undefined ? null : <Secret text={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}

function Secret({ text, onClose }: { readonly text: string; readonly onClose: () => void }) {
  return (
    <Dialog title="The new secret" onClose={onClose}>
      <h2>The new secret</h2>
      <p>It is shown this once. The old one signs as well for a while.</p>
      <p>
        <code class="secret">{text}</code>
      </p>
      <div class="buttons">
        <button type="button" class="main" onClick={onClose}>
          I have it
        </button>
      </div>
    </Dialog>
  );
}

export function Webhook({ id }: { readonly id: string }) {
  const endpoint = useCall<WebhookEndpoint>(
    `/v1/webhook-endpoints/${encodeURIComponent(id)}`,
    5_000,
  );
  const { data } = endpoint;
  const actions =
    data === undefined ? undefined : (
      <>
        <Test endpoint={data} onDone={endpoint.reload} />
        <Toggle endpoint={data} onDone={endpoint.reload} />
        <Rotate endpoint={data} onDone={endpoint.reload} />
      </>
    );
  return (
    <Page title="Webhook endpoint" actions={actions}>
      <p class="long-id">
        <code>{id}</code>
      </p>
      <Loaded from={endpoint}>
        {(found) => (
          <>
            <Facts
              rows={[
                ['Status', <Status key="s" of={found.status} />],
                [
                  'URL',
                  <span key="u" class="address">
                    {found.url}
                  </span>,
                ],
                ['Events', found.events.join(', ')],
                ['Description', found.description],
                ['Disabled for', found.disabledReason],
                ['Failing since', found.failingSince && <Time at={found.failingSince} />],
                ['Old secret until', found.oldSecretUntil && <Time at={found.oldSecretUntil} />],
                ['Made', <Time key="m" at={found.createdAt} />],
                ['Changed', <Time key="c" at={found.updatedAt} />],
              ]}
            />
            <p>
              <a href={`/admin/deliveries?endpointId=${found.id}`}>Deliveries to it</a>
            </p>
          </>
        )}
      </Loaded>
    </Page>
  );
}
