import { navigate } from '../router.ts';
import { words } from '../state.ts';
import type { Operation, Page as PageOf, User as UserDoc, Wallet } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Facts, Id, Loaded, Money, Page, Panel, Status, Time } from '../ui/parts.tsx';
import { type Column, PagedTable, Table } from '../ui/table.tsx';
import { OPERATION_COLUMNS } from './operations.tsx';

const pathOf = (userId: string): string => `/admin/users/${encodeURIComponent(userId)}`;

const USER_COLUMNS: readonly Column<UserDoc>[] = [
  { name: 'User', cell: ({ userId }) => <a href={pathOf(userId)}>{userId}</a> },
  { name: 'Name', cell: ({ displayName }) => displayName ?? '' },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  { name: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function Users() {
  const open = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const id = form instanceof HTMLFormElement ? new FormData(form).get('userId') : null;
    if (typeof id === 'string' && id.trim() !== '') navigate(pathOf(id.trim()));
  };
  return (
    <Page title="Users">
      <form class="filters" onSubmit={open}>
        <label class="field">
          <span>User id</span>
          <input name="userId" required autocomplete="off" spellcheck={false} />
        </label>
        <button>Show</button>
      </form>
      <PagedTable
        label="Users"
        path="/v1/users"
        columns={USER_COLUMNS}
        keyOf={({ userId }) => userId}
        empty="This tenant has no users."
      />
    </Page>
  );
}

const WALLET_COLUMNS: readonly Column<Wallet>[] = [
  { name: 'Wallet', cell: ({ id }) => <Id of={id} href={`/admin/wallets/${id}`} /> },
  { name: 'Status', cell: ({ status }) => <Status of={status} /> },
  ...(['balance', 'bonusBalance', 'lockedBalance', 'available'] as const).map((field) => ({
    name: {
      balance: 'Balance',
      bonusBalance: 'Bonus',
      lockedBalance: 'Locked',
      available: 'Available',
    }[field],
    isNumber: true,
    cell: (wallet: Wallet) => <Money minor={wallet[field]} currency={wallet.currency} />,
  })),
];

export function User({ id }: { readonly id: string }) {
  const path = `/v1/users/${encodeURIComponent(id)}`;
  const [user, wallets] = [
    useCall<UserDoc>(path),
    useCall<PageOf<Wallet>>(`${path}/wallets`, 5_000),
  ];
  const operations = `/v1/operations?userId=${encodeURIComponent(id)}`;
  return (
    <Page title={`User ${id}`}>
      <Loaded from={user}>
        {(found) => (
          <>
            <Facts
              rows={[
                ['Status', <Status key="s" of={found.status} />],
                ['Name', found.displayName],
                ...Object.entries(found.contacts ?? {}),
                ['Since', <Time key="t" at={found.createdAt} />],
              ]}
            />
            <Panel title="Wallets">
              <Loaded from={wallets}>
                {({ items }) => (
                  <Table
                    label="Wallets"
                    columns={WALLET_COLUMNS}
                    rows={items}
                    keyOf={(wallet) => wallet.id}
                    empty="The user has no wallet."
                  />
                )}
              </Loaded>
            </Panel>
            <Panel title="Operations" aside={<Deliveries of={id} />}>
              {words.value === undefined ? null : (
                <PagedTable<Operation>
                  label="Operations"
                  path={operations}
                  everyMs={5_000}
                  columns={OPERATION_COLUMNS}
                  keyOf={(operation) => operation.id}
                  empty="Nothing was asked for with this user."
                />
              )}
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Deliveries({ of }: { readonly of: string }) {
  return <a href={`/admin/deliveries?userId=${encodeURIComponent(of)}`}>Deliveries</a>;
}
