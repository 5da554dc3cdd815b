import { LIMITS } from '../../config/limits.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry } from '../../core/operations/define.ts';
import {
  type Outcome,
  bindOperation,
  decideBatch,
  batchReads,
} from '../../core/settlement/decide.ts';
import { assert } from '../../core/kernel/assert.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import { type OperationId, walletIdOf } from '../../core/kernel/ids.ts';
import type { Change, LedgerState } from '../../core/ledger/book.ts';
import {
  type EntryDoc,
  type HoldDoc,
  type TransferDoc,
  type UserDoc,
  type WalletDoc,
  isSystemUser,
  systemUserId,
} from '../../core/ledger/documents.ts';
import type { LapsedReads, LedgerReads } from '../../core/ledger/ledger-store.ts';
import { type OperationDoc, userOrderingKey } from '../../core/operations/operation.ts';
import type { OutboxEvent } from '../../core/events/outbox.ts';
import { lapsedReads, withLapsed } from '../../core/operations/want-of-money.ts';

export const AT = new Date('2030-01-01T00:00:00.000Z');
export const TENANT = 'acme';

/** The n-th operation id of a test. */
export function operationId(index: number): OperationId {
  return `op_${index.toString(16).padStart(32, '0')}`;
}

type Extras = Partial<OperationDoc>;

/** An accepted operation; the input goes through its schema unless the type is not of ours. */
export function operationOf(type: string, input: unknown, extras: Extras = {}): OperationDoc {
  const definition = (OPERATIONS as Registry)[type];
  return {
    _id: operationId(1),
    tenantId: TENANT,
    type,
    typeVersion: 1,
    input: (definition === undefined ? input : definition.input.parse(input)) as Json,
    idempotencyKey: 'key',
    requestHash: 'hash',
    status: 'accepted',
    epoch: 0,
    orderingKey: userOrderingKey(TENANT, 'ann'),
    lane: 0,
    stamp: 1n,
    dispatch: { queue: 'settlement-0', seq: 1, at: AT },
    correlationId: 'test',
    createdAt: AT,
    ...extras,
  };
}

interface SettleOptions {
  readonly at?: Date;
  readonly stripe?: number;
  readonly registry?: Registry;
}

/**
 * A ledger in maps around the real decisions. It loads what the real reader loads and keeps the
 * rules that MongoDB keeps: no id twice, no wallet seq twice, nothing replaced that has moved.
 */
export interface MemoryLedger {
  readonly users: ReadonlyMap<string, UserDoc>;
  readonly wallets: ReadonlyMap<string, WalletDoc>;
  readonly transfers: ReadonlyMap<string, TransferDoc>;
  readonly holds: ReadonlyMap<string, HoldDoc>;
  readonly entries: readonly EntryDoc[];
  readonly events: readonly OutboxEvent[];
  /** What the decisions reported as bugs of their own. */
  readonly bugs: readonly unknown[];
  settle(batch: readonly OperationDoc[], options?: SettleOptions): readonly Outcome[];
  wallet(userId: string, currency?: string): WalletDoc;
}

export function createMemoryLedger(): MemoryLedger {
  const users = new Map<string, UserDoc>();
  const wallets = new Map<string, WalletDoc>();
  const transfers = new Map<string, TransferDoc>();
  const holds = new Map<string, HoldDoc>();
  const entries: EntryDoc[] = [];
  const events: OutboxEvent[] = [];
  const bugs: unknown[] = [];
  const state = { users, wallets, transfers, holds };
  const settle = (batch: readonly OperationDoc[], options: SettleOptions = {}) => {
    const { at = AT, stripe = 0, registry = OPERATIONS } = options;
    const bound = batch.map((operation) => bindOperation(registry, operation));
    const found: unknown[] = [];
    const onBug = (_operation: OperationDoc, error: unknown) => found.push(error);
    let loaded = load(state, batchReads(bound, stripe));
    const looked = new Set<string>();
    let decided = decideBatch(bound, { loaded, at, stripe, onBug });
    for (;;) {
      const lapsed = lapsedReads(decided.wants, loaded, looked);
      if (lapsed === undefined) break;
      loaded = withLapsed(loaded, loadLapsed(state, { ...lapsed, stripe }));
      found.length = 0;
      decided = decideBatch(bound, { loaded, at, stripe, onBug });
    }
    bugs.push(...found);
    const changes = decided.book.changes();
    keep(users, changes.users);
    keep(wallets, changes.wallets);
    keep(transfers, changes.transfers);
    keep(holds, changes.holds);
    for (const entry of changes.entries) insertEntry(entries, entry);
    for (const list of decided.events.values()) events.push(...list);
    return decided.outcomes;
  };
  return {
    ...state,
    entries,
    events,
    bugs,
    settle,
    wallet: (userId, currency = 'EUR') => {
      const wallet = wallets.get(walletIdOf(TENANT, userId, currency));
      if (wallet === undefined) throw new Error(`${userId} has no ${currency} wallet`);
      return wallet;
    },
  };
}

function pick<T>(from: ReadonlyMap<string, T>, ids: Iterable<string>): Map<string, T> {
  const found = new Map<string, T>();
  for (const id of ids) {
    const doc = from.get(id);
    if (doc !== undefined) found.set(id, doc);
  }
  return found;
}

/** As `LedgerTransaction.load` does. */
function load(state: LedgerState, reads: LedgerReads): LedgerState {
  const transfers = pick(state.transfers, reads.transfers);
  const holds = pick(state.holds, reads.holds);
  const ids = new Set(reads.wallets);
  for (const { tenantId, fromUserId, toUserId, currency } of transfers.values()) {
    ids.add(walletIdOf(tenantId, fromUserId, currency));
    ids.add(walletIdOf(tenantId, toUserId, currency));
  }
  for (const { tenantId, userId, currency } of holds.values()) {
    ids.add(walletIdOf(tenantId, userId, currency));
    for (const name of ['clearing', 'world'] as const) {
      ids.add(walletIdOf(tenantId, systemUserId(name, reads.stripe), currency));
    }
  }
  for (const wallet of state.wallets.values()) {
    const isOwned = reads.owners.some(
      ({ tenantId, userId }) => wallet.tenantId === tenantId && wallet.userId === userId,
    );
    if (isOwned) ids.add(wallet._id);
  }
  const wallets = pick(state.wallets, ids);
  for (const { tenantId, userId, currency } of [...wallets.values()].filter(isSystem)) {
    for (const id of stripesBehind(tenantId, userId, currency)) {
      const next = state.wallets.get(id);
      if (next !== undefined) wallets.set(id, next);
    }
  }
  return {
    users: pick(state.users, reads.users),
    wallets,
    transfers,
    holds,
  };
}

/** As `LedgerTransaction.loadLapsed` does. */
function loadLapsed(state: LedgerState, { wallets, until, stripe }: LapsedReads): LedgerState {
  const lapsed = [...state.holds.values()].filter(
    (hold) =>
      hold.status === 'open' &&
      hold.managedBy === undefined &&
      hold.expiresAt !== undefined &&
      hold.expiresAt <= until &&
      wallets.some(
        ({ tenantId, userId, currency }) =>
          hold.tenantId === tenantId && hold.userId === userId && hold.currency === currency,
      ),
  );
  const holds = new Set(lapsed.map(({ _id }) => _id));
  const none = new Set<string>();
  return load(state, { users: none, wallets: none, owners: [], transfers: none, holds, stripe });
}

const isSystem = ({ userId }: WalletDoc): boolean => isSystemUser(userId);

/** More than any test fills. */
const FURTHER = [1, 2, 3, 4];

function stripesBehind(tenantId: string, userId: string, currency: string) {
  const [name = '', stripe = ''] = userId.split('#');
  return FURTHER.map((nth) =>
    walletIdOf(tenantId, `${name}#${Number(stripe) + nth * LIMITS.systemStripes}`, currency),
  );
}

function keep<T extends { readonly _id: string }>(
  stored: Map<string, T>,
  changes: readonly Change<T>[],
): void {
  for (const { before, after } of changes) {
    assert(stored.get(after._id) === before, 'a change starts from what is stored', {
      id: after._id,
      isNew: before === undefined,
    });
    stored.set(after._id, after);
  }
}

function insertEntry(entries: EntryDoc[], entry: EntryDoc): void {
  const isTwice = entries.some(
    (other) =>
      other._id === entry._id || (other.walletId === entry.walletId && other.seq === entry.seq),
  );
  assert(!isTwice, 'no entry id and no wallet seq comes twice', { id: entry._id });
  entries.push(entry);
}
