import { amountText } from '../pure/money.ts';
import type { Entry, Page as PageOf, Wallet as WalletDoc } from '../types.ts';
import { useCall } from '../use-call.ts';
import { Chart } from '../ui/chart.tsx';
import { Empty, Facts, Id, Loaded, Money, Page, Panel, Status, Time } from '../ui/parts.tsx';
import { type Column, PagedTable } from '../ui/table.tsx';

const PLOTTED = 200;

const COLUMNS: readonly Column<Entry>[] = [
  { name: 'Seq', isNumber: true, cell: ({ seq }) => seq },
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
  {
    name: 'Operation',
    cell: ({ operationId }) => <Id of={operationId} href={`/admin/operations/${operationId}`} />,
  },
  { name: 'At', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** The height of a line needs a number; what stands beside it is the amount as the ledger has it. */
function Balance({
  entries,
  currency,
}: {
  readonly entries: readonly Entry[];
  readonly currency: string;
}) {
  const own = entries.filter(({ balanceType }) => balanceType === 'real').toReversed();
  if (own.length < 2) return <Empty>A plot needs two entries at least.</Empty>;
  const format = (value: number): string => amountText(String(Math.round(value)), currency);
  return (
    <>
      <Chart
        label={`Balance in ${currency}`}
        // By their number: many of one batch have one time.
        at={own.map(({ seq }) => seq)}
        isTime={false}
        format={format}
        lines={[
          {
            label: `balance in ${currency}`,
            tone: 'accent',
            isStepped: true,
            values: own.map(({ balanceAfter }) => Number(balanceAfter)),
          },
        ]}
      />
      <p class="faint">
        By the number of the entry: {own.length === 1 ? 'one' : own.length} from{' '}
        <Time at={own[0]?.createdAt ?? ''} /> to <Time at={own.at(-1)?.createdAt ?? ''} />.
      </p>
    </>
  );
}

export function Wallet({ id }: { readonly id: string }) {
  const path = `/v1/wallets/${encodeURIComponent(id)}`;
  const wallet = useCall<WalletDoc>(path, 5_000);
  const seq = wallet.data?.seq;
  // Read again when there is something new, and not before.
  const listed = `${path}/transactions?limit=${String(PLOTTED)}`;
  const entries = useCall<PageOf<Entry>>(
    seq === undefined ? undefined : `${listed}&order=desc`,
    5_000,
  );
  return (
    <Page title="Wallet">
      <p class="long-id">
        <code>{id}</code>
      </p>
      <Loaded from={wallet}>
        {(found) => (
          <>
            <Facts rows={factsOf(found)} />
            <Panel title="Balance over time">
              <Loaded from={entries}>
                {({ items }) => <Balance entries={items} currency={found.currency} />}
              </Loaded>
            </Panel>
            <Panel title="Entries">
              <PagedTable
                label="Entries"
                path={`${path}/transactions`}
                everyMs={5_000}
                columns={COLUMNS}
                keyOf={(entry) => entry.id}
                empty="Nothing was ever booked here."
              />
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function factsOf(wallet: WalletDoc) {
  const money = (minor: string) => <Money key={minor} minor={minor} currency={wallet.currency} />;
  return [
    [
      'Owner',
      <a key="o" href={`/admin/users/${encodeURIComponent(wallet.userId)}`}>
        {wallet.userId}
      </a>,
    ],
    ['Status', <Status key="s" of={wallet.status} />],
    ['Balance', money(wallet.balance)],
    ['Bonus', money(wallet.bonusBalance)],
    ['Locked', money(wallet.lockedBalance)],
    ['Overdraft limit', money(wallet.overdraftLimit)],
    ['Available', money(wallet.available)],
    ['Credited in all', money(wallet.totalCredited)],
    ['Debited in all', money(wallet.totalDebited)],
    ['Entries', wallet.seq.toLocaleString('en')],
  ] as const;
}
