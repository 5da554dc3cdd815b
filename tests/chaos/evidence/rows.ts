import type { Document } from 'mongodb';
import type {
  BalanceType,
  DeliveryRow,
  EntryRow,
  HoldRow,
  OperationRow,
  TransferRow,
  WalletRow,
} from '../checker/evidence.ts';
import type { Read } from './reader.ts';

/** What the database has, as the rules want it: stored documents are taken as they are found. */
export interface Books {
  readonly operations: readonly OperationRow[];
  readonly entries: readonly EntryRow[];
  readonly wallets: readonly WalletRow[];
  readonly transfers: readonly TransferRow[];
  readonly holds: readonly HoldRow[];
  readonly deliveries: readonly DeliveryRow[];
  readonly outboxRows: number;
}

export async function readBooks(read: Read): Promise<Books> {
  const [operations, entries, wallets, transfers, holds] = [
    await read.find('operations'),
    await readEntries(read),
    await read.find('wallets'),
    await read.find('transfers'),
    await read.find('holds'),
  ];
  const deliveries = await read.find('deliveries', {}, { data: 0, content: 0 });
  const outbox = await read.find('outbox', {}, { _id: 1 });
  return {
    operations: operations.map(operationRow),
    entries,
    wallets: wallets.map(walletRow),
    transfers: transfers.map(transferRow),
    holds: holds.map(holdRow),
    deliveries: deliveries.map(deliveryRow),
    outboxRows: outbox.length,
  };
}

export async function readEntries(read: Read): Promise<readonly EntryRow[]> {
  return (await read.find('transactions')).map(entryRow);
}

function operationRow(doc: Document): OperationRow {
  return {
    id: String(doc['_id']),
    tenantId: String(doc['tenantId']),
    type: String(doc['type']),
    status: String(doc['status']),
    key: String(doc['idempotencyKey']),
    orderingKey: String(doc['orderingKey']),
    input: doc['input'] as unknown,
    result: doc['result'] as unknown,
    errorCode: (doc['error'] as { code?: string } | undefined)?.code,
    isStepwise: Array.isArray(doc['steps']),
    story: storyOf(doc),
    createdAt: doc['createdAt'] as Date,
    completedAt: doc['completedAt'] as Date | undefined,
  };
}

interface Step {
  readonly name: string;
  readonly status: string;
  readonly attempt: number | bigint;
  readonly error?: { readonly code?: string; readonly detail?: string };
}

/** How far it came, for a person who asks why. */
function storyOf(doc: Document): string {
  const steps = ((doc['steps'] ?? []) as readonly Step[]).map(
    ({ name, status, attempt, error: { code = '', detail = '' } = {} }) =>
      `${name} ${status} (${String(attempt)}) ${code} ${detail}`.trim(),
  );
  const detail = (doc['error'] as { detail?: string } | undefined)?.detail ?? '';
  return [detail, steps.join('; ')].filter((part) => part !== '').join(' | ');
}

function entryRow(doc: Document): EntryRow {
  const amount = doc['amount'] as bigint;
  return {
    id: String(doc['_id']),
    operationId: String(doc['operationId']),
    walletId: String(doc['walletId']),
    userId: String(doc['userId']),
    currency: String(doc['currency']),
    balanceType: doc['balanceType'] as BalanceType,
    amount: doc['direction'] === 'credit' ? amount : -amount,
    balanceAfter: doc['balanceAfter'] as bigint,
    seq: Number(doc['seq']),
    createdAt: doc['createdAt'] as Date,
  };
}

function walletRow(doc: Document): WalletRow {
  return {
    id: String(doc['_id']),
    userId: String(doc['userId']),
    currency: String(doc['currency']),
    balance: doc['balance'] as bigint,
    bonusBalance: doc['bonusBalance'] as bigint,
    lockedBalance: doc['lockedBalance'] as bigint,
    overdraftLimit: doc['overdraftLimit'] as bigint,
    seq: Number(doc['seq']),
  };
}

function transferRow(doc: Document): TransferRow {
  return {
    id: String(doc['_id']),
    operationId: String(doc['operationId']),
    amount: doc['amount'] as bigint,
    reversedAmount: doc['reversedAmount'] as bigint,
  };
}

function holdRow(doc: Document): HoldRow {
  return {
    id: String(doc['_id']),
    operationId: String(doc['operationId']),
    userId: String(doc['userId']),
    currency: String(doc['currency']),
    amount: doc['amount'] as bigint,
    captured: doc['captured'] as bigint,
    released: doc['released'] as bigint,
    status: String(doc['status']),
    isManaged: doc['managedBy'] !== undefined,
  };
}

function deliveryRow(doc: Document): DeliveryRow {
  const attempts = (doc['attempts'] ?? []) as readonly unknown[];
  const event = (doc['event'] ?? {}) as { readonly id?: string; readonly name?: string };
  return {
    id: String(doc['_id']),
    channel: String(doc['channel']),
    status: String(doc['status']),
    eventId: event.id ?? '',
    event: event.name ?? '',
    endpointId: doc['endpointId'] as string | undefined,
    attempts: Array.isArray(attempts) ? attempts.length : 0,
    notBefore: doc['notBefore'] as Date | undefined,
  };
}
