import type { Page as PageOf, Rules as RulesDoc, Suppression, Template } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Loaded, Page, Panel, Time } from '../ui/parts.tsx';
import { type Column, PagedTable, Table } from '../ui/table.tsx';

const TEMPLATE_COLUMNS: readonly Column<Template>[] = [
  { name: 'Name', cell: ({ name }) => name },
  { name: 'Channel', cell: ({ channel }) => channel ?? 'any' },
  { name: 'Locale', cell: ({ locale }) => locale },
  { name: 'Version', isNumber: true, cell: ({ version }) => version ?? '' },
  { name: 'Subject', cell: ({ subject }) => subject ?? '' },
  { name: 'Text', cell: ({ text }) => <span class="cut">{text}</span> },
];

export function Templates() {
  const builtIn = useCall<PageOf<Template>>('/v1/templates?origin=built-in');
  return (
    <Page title="Templates">
      <Panel title="Written by this tenant">
        <PagedTable
          label="Templates of this tenant"
          path="/v1/templates"
          columns={TEMPLATE_COLUMNS}
          keyOf={({ id, name }) => id ?? name}
          empty="None: what is built in is used."
        />
      </Panel>
      <Panel title="Built in">
        <Loaded from={builtIn}>
          {({ items }) => (
            <Table
              label="Templates that are built in"
              columns={TEMPLATE_COLUMNS}
              rows={items}
              keyOf={({ name, channel }) => `${name} ${channel ?? ''}`}
              empty="None."
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

export function Rules() {
  const rules = useCall<RulesDoc>('/v1/notification-rules');
  return (
    <Page title="Rules">
      <p>Which events users are told about, and on which channels.</p>
      <Loaded from={rules}>
        {({ items, builtIn }) => (
          <Panel title="Events">
            <Table
              label="Events and channels"
              rows={builtIn}
              keyOf={({ event }) => event}
              empty="None."
              columns={[
                { name: 'Event', cell: ({ event }) => event },
                { name: 'Category', cell: ({ category }) => category },
                {
                  name: 'Channels',
                  cell: ({ event, channels }) => {
                    const own = items.find((rule) => rule.event === event);
                    return (own?.channels ?? channels).join(', ') || 'none';
                  },
                },
                {
                  name: 'By',
                  cell: ({ event }) =>
                    items.some((rule) => rule.event === event) ? 'this tenant' : 'built in',
                },
              ]}
            />
          </Panel>
        )}
      </Loaded>
    </Page>
  );
}

const SUPPRESSION_COLUMNS: readonly Column<Suppression>[] = [
  { name: 'Address', cell: ({ address }) => <span class="address">{address}</span> },
  { name: 'Channel', cell: ({ channel }) => channel },
  { name: 'Why', cell: ({ reason }) => reason },
  { name: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function Suppressions() {
  return (
    <Page title="Suppressions">
      <PagedTable
        label="Addresses that nothing is sent to"
        path="/v1/suppressions"
        columns={SUPPRESSION_COLUMNS}
        keyOf={({ id }) => id}
        empty="There is no address that nothing is sent to."
      />
    </Page>
  );
}
