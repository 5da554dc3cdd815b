import type {
  BalanceType,
  EntryRow,
  Evidence,
  HistoryEvent,
  OperationRow,
  Purpose,
  WebhookReceipt,
} from '../../chaos/checker/evidence.ts';

/** A small run in which everything went as promised; the tests break one thing each. */
const EUR = 'EUR';
const BEGIN = Date.parse('2026-01-01T00:00:00Z');

interface Story {
  readonly type: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly result?: unknown;
  readonly legs?: readonly (readonly [user: string, type: BalanceType, amount: bigint])[];
  readonly purpose?: Purpose;
}

const provided = { isProvided: true } as const;

const STORIES: readonly Story[] = [
  { type: 'user.create', user: 'ada', input: { userId: 'ada' }, purpose: provided },
  {
    type: 'wallet.credit',
    user: 'ada',
    input: { userId: 'ada', currency: EUR, amount: '1000' },
    legs: [
      ['ada', 'real', 1_000n],
      ['sys:world#1', 'real', -1_000n],
    ],
    purpose: provided,
  },
  {
    type: 'wallet.debit',
    user: 'ada',
    input: { userId: 'ada', currency: EUR, amount: '100' },
    legs: [
      ['ada', 'real', -100n],
      ['sys:world#1', 'real', 100n],
    ],
    purpose: provided,
  },
  {
    type: 'hold.place',
    user: 'ada',
    input: { userId: 'ada', currency: EUR, amount: '50' },
    legs: [
      ['ada', 'locked', 50n],
      ['sys:clearing#1', 'locked', -50n],
    ],
  },
  {
    type: 'deposit',
    user: 'ada',
    input: { userId: 'ada', currency: EUR, amount: '300', instrument: 'card' },
    result: { reference: 'sbx_1' },
    legs: [
      ['ada', 'real', 300n],
      ['sys:world#1', 'real', -300n],
    ],
  },
  {
    type: 'transfer',
    user: 'ada',
    input: { fromUserId: 'ada', toUserId: 'bob', currency: EUR, amount: '200' },
    legs: [
      ['ada', 'real', -200n],
      ['bob', 'real', 200n],
    ],
  },
];

/** `op_` and 32 digits, as ids are. */
export function idOf(index: number): string {
  return `op_${String(index).padStart(32, '0')}`;
}

const at = (index: number): Date => new Date(BEGIN + index * 1_000);

function operationOf({ type, input, user, result }: Story, index: number): OperationRow {
  return {
    id: idOf(index),
    tenantId: 'default',
    type,
    status: 'succeeded',
    key: `a0-${String(index)}`,
    orderingKey: `default|u:${user}`,
    input,
    result,
    errorCode: undefined,
    isStepwise: type === 'deposit',
    story: '',
    createdAt: at(index),
    completedAt: new Date(at(index).getTime() + 500),
  };
}

function historyOf({ type, input, purpose = {} }: Story, index: number): HistoryEvent[] {
  const sent = { request: index, key: `a0-${String(index)}`, api: 'api-1' };
  const id = idOf(index);
  const atMs = index * 1_000;
  return [
    { kind: 'invoked', ...sent, atMs, type, input, purpose },
    {
      kind: 'answered',
      ...sent,
      atMs: atMs + 50,
      id,
      http: 202,
      status: 'accepted',
      isReplay: false,
    },
    {
      kind: 'read',
      fromMs: atMs + 700,
      atMs: atMs + 710,
      api: 'api-2',
      id,
      http: 200,
      status: 'succeeded',
    },
  ];
}

function entriesOf(stories: readonly Story[]): EntryRow[] {
  const seqs = new Map<string, number>();
  const balances = new Map<string, bigint>();
  return stories.flatMap(({ legs = [] }, index) =>
    legs.map(([userId, balanceType, amount], leg): EntryRow => {
      const walletId = `wal_${userId}`;
      const seq = (seqs.get(walletId) ?? 0) + 1;
      seqs.set(walletId, seq);
      const balanceAfter = (balances.get(`${walletId} ${balanceType}`) ?? 0n) + amount;
      balances.set(`${walletId} ${balanceType}`, balanceAfter);
      const operationId = idOf(index);
      const id = `${operationId}.${String(leg + 1)}`;
      const place = { walletId, userId, currency: EUR, balanceType, seq };
      return { id, operationId, ...place, amount, balanceAfter, createdAt: at(index) };
    }),
  );
}

const WALLETS = [
  { userId: 'ada', balance: 1_000n, lockedBalance: 50n, seq: 5 },
  { userId: 'bob', balance: 200n, lockedBalance: 0n, seq: 1 },
  { userId: 'sys:world#1', balance: -1_200n, lockedBalance: 0n, seq: 3 },
  { userId: 'sys:clearing#1', balance: 0n, lockedBalance: -50n, seq: 1 },
];

function receiptOf(_story: Story, index: number): WebhookReceipt {
  const id = idOf(index);
  return {
    endpoint: 'healthy',
    atMs: index * 1_000 + 900,
    verdict: 'verified',
    id: `dlv_${String(index)}`,
    eventId: `${id}.e0`,
    event: 'operation.succeeded',
    operationId: id,
  };
}

export function soundEvidence(): Evidence {
  const hold = {
    id: `hld_${idOf(3).slice(3)}`,
    operationId: idOf(3),
    userId: 'ada',
    currency: EUR,
  };
  return {
    history: STORIES.flatMap(historyOf),
    operations: STORIES.map(operationOf),
    entries: entriesOf(STORIES),
    wallets: WALLETS.map((wallet) => ({
      ...{ currency: EUR, bonusBalance: 0n, overdraftLimit: 0n },
      ...wallet,
      id: `wal_${wallet.userId}`,
    })),
    transfers: [
      { id: `trf_${idOf(5).slice(3)}`, operationId: idOf(5), amount: 200n, reversedAmount: 0n },
    ],
    holds: [{ ...hold, amount: 50n, captured: 0n, released: 0n, status: 'open', isManaged: false }],
    deliveries: [],
    outboxRows: 0,
    payments: [
      {
        key: `${idOf(4)}.authorise`,
        kind: 'authorisations',
        status: 'succeeded',
        isVoided: false,
        amount: '300',
      },
      {
        key: `${idOf(4)}.capture`,
        kind: 'captures',
        status: 'succeeded',
        isVoided: false,
        amount: '300',
      },
    ],
    receipts: STORIES.map(receiptOf),
    samples: [
      {
        atMs: 1_000,
        wallets: new Map([['EUR real', 0n]]),
        entries: new Map([['EUR real', 0n]]),
        overspent: [],
      },
    ],
    rewritten: [],
    faults: [
      {
        id: 'f1',
        kind: 'kill-worker',
        target: 'worker-1',
        struckAtMs: 100,
        healedAtMs: 900,
        strikes: 1,
      },
    ],
    queues: [{ queue: 'saga', active: 0, waiting: 0, delayed: 0, failed: 0, failedOperations: [] }],
    balances: [{ walletId: 'wal_ada', api: 'api-1', served: '1000', stored: '1000' }],
    logs: [],
    deaths: [],
    settledAtMs: new Map([[idOf(5), 7_000]]),
    healedAtMs: 6_000,
    endedAtMs: 8_000,
    boundMs: 45_000,
    isolation: [{ path: `/v1/operations/${idOf(0)}`, status: 404 }],
  };
}

/** So many operations of one user, each on the one before it: the longest line that there can be. */
export function soundLine(count: number): Evidence {
  const credit: Story = {
    type: 'wallet.credit',
    user: 'ada',
    input: { userId: 'ada', currency: EUR, amount: '1' },
    legs: [
      ['ada', 'real', 1n],
      ['sys:world#1', 'real', -1n],
    ],
    purpose: provided,
  };
  const [create = credit] = STORIES;
  const stories = [create, ...Array.from({ length: count - 1 }, () => credit)];
  const entries = entriesOf(stories);
  const [ada, , world] = soundEvidence().wallets;
  const total = BigInt(count - 1);
  return {
    ...soundEvidence(),
    ...{ history: stories.flatMap(historyOf), operations: stories.map(operationOf), entries },
    wallets: [
      ...(ada === undefined ? [] : [{ ...ada, balance: total, lockedBalance: 0n, seq: count - 1 }]),
      ...(world === undefined ? [] : [{ ...world, balance: -total, seq: count - 1 }]),
    ],
    ...{ transfers: [], holds: [], payments: [], balances: [], settledAtMs: new Map() },
    receipts: stories.map(receiptOf),
  };
}
