import { query, setQuery } from '../router.ts';
import { words } from '../state.ts';
import type { Operation } from '../types.ts';
import { ChoiceFilter, TextFilter, TimeFilter } from '../ui/form.tsx';
import { Id, Page, Status, Time } from '../ui/parts.tsx';
import { type Column, PagedTable } from '../ui/table.tsx';
import { amountOf, partiesOf } from '../ui/operation-bits.tsx';
import { Views } from '../ui/views.tsx';

export const OPERATION_COLUMNS: readonly Column<Operation>[] = [
  { name: 'Operation', cell: ({ id }) => <Id of={id} href={`/admin/operations/${id}`} /> },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  { name: 'Type', cell: ({ type }) => type },
  { name: 'Of', cell: ({ input }) => partiesOf(input) },
  { name: 'Amount', isNumber: true, cell: ({ input }) => amountOf(input) },
  { name: 'Error', cell: ({ error }) => (error === undefined ? '' : <code>{error.code}</code>) },
  { name: 'Accepted', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

const PLAIN = [
  'status',
  'type',
  'userId',
  'idempotencyKey',
  'ids',
  'createdAfter',
  'createdBefore',
];
const METADATA = /^metadata\.[A-Za-z0-9][\w-]{0,39}$/;

/** What the endpoint knows, out of the address of the page. */
function operationsPath(from: URLSearchParams): string {
  const known = [...from].filter(
    ([name, value]) => value !== '' && (PLAIN.includes(name) || METADATA.test(name)),
  );
  const text = new URLSearchParams(known).toString();
  return text === '' ? '/v1/operations' : `/v1/operations?${text}`;
}

/** `reference=INV-7`: what clients have stored with an operation, such as their own reference. */
function MetadataFilter() {
  const [name, value] = [...query.value].find(([one]) => METADATA.test(one)) ?? [];
  const text = name === undefined ? '' : `${name.slice('metadata.'.length)}=${value ?? ''}`;
  return (
    <label class="field">
      <span>Metadata, external reference</span>
      <input
        key={text}
        type="search"
        defaultValue={text}
        placeholder="reference=INV-7"
        autocomplete="off"
        spellcheck={false}
        onChange={(event) => {
          const [key = '', ...rest] = event.currentTarget.value.trim().split('=');
          const old = name === undefined ? {} : { [name]: '' };
          const wanted = key === '' ? {} : { [`metadata.${key}`]: rest.join('=') };
          setQuery({ ...old, ...wanted });
        }}
      />
    </label>
  );
}

export function Operations() {
  return (
    <Page title="Operations">
      <div class="filters">
        <ChoiceFilter name="status" label="Status" of={words.value?.statuses ?? []} />
        <ChoiceFilter name="type" label="Type" of={words.value?.operationTypes ?? []} />
        <TextFilter name="userId" label="User" placeholder="id, payer or payee" />
        <TextFilter name="ids" label="Operation ids" placeholder="op_…, several by commas" />
        <TextFilter name="idempotencyKey" label="Idempotency key" />
        <MetadataFilter />
        <TimeFilter name="createdAfter" label="Accepted after" />
        <TimeFilter name="createdBefore" label="Accepted before" />
      </div>
      <Views of="/admin/operations" />
      <PagedTable
        label="Operations"
        path={operationsPath(query.value)}
        everyMs={5_000}
        columns={OPERATION_COLUMNS}
        keyOf={({ id }) => id}
        empty="No operation of this tenant is like that."
      />
    </Page>
  );
}
