import type { EventData, EventName } from '../events/catalog.ts';
import { LIMITS } from '../../config/limits.ts';
import { assert, present } from '../kernel/assert.ts';
import {
  type HoldId,
  type OperationId,
  type TransferId,
  type WalletId,
  walletIdOf,
} from '../kernel/ids.ts';
import {
  type BalanceType,
  type Direction,
  type EntryDoc,
  type HoldDoc,
  type SystemWallet,
  type TransferDoc,
  type UserDoc,
  type WalletDoc,
  systemUserId,
  userDocId,
} from './documents.ts';
import { holdsOf, walletsOf } from './layers.ts';
import { isFull } from './system-stripes.ts';
import { assertWallet, balanceOf, openWallet, withPosted } from './wallet.ts';

/** What the ledger holds of a batch, by id. */
export type LedgerState = { readonly [K in keyof Kinds]: ReadonlyMap<string, Kinds[K]> };

interface Kinds {
  readonly users: UserDoc;
  readonly wallets: WalletDoc;
  readonly transfers: TransferDoc;
  readonly holds: HoldDoc;
}

/** An event that a decision asks for; it leaves through the outbox of the same transaction. */
export interface DraftEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

interface DraftScope {
  readonly tenantId: string;
  readonly operationId: OperationId;
  /** Database time of the batch. */
  readonly at: Date;
  /** What a hold's expiry is judged by: when the operation was accepted, or was to begin. */
  readonly acceptedAt?: Date;
  /** Which stripe of the system wallets this transaction writes. */
  readonly stripe: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `amount` leaves `from` and arrives at `to`; both are looked up afresh by their ids. */
export interface Movement {
  readonly from: WalletDoc;
  readonly to: WalletDoc;
  readonly amount: bigint;
  readonly balanceType: BalanceType;
  readonly transferId?: TransferId;
  readonly holdId?: HoldId;
  readonly description?: string;
  readonly effectiveAt?: Date;
}

/**
 * The ledger of one batch in memory: what was read, and what the decisions so far have made of it.
 * Every operation works on a draft of its own; `apply` takes a draft in, dropping it leaves no
 * trace, so that a refusal never touches its neighbours.
 */
export interface Book {
  /** `legOffset`: where its legs start, for operations that post in several transactions. */
  draft(scope: DraftScope, legOffset?: number): Draft;
  apply(draft: Draft): void;
  /** Everything that differs from what was read, for the bulk writes. */
  changes(): BookChanges;
}

export interface BookChanges {
  readonly entries: readonly EntryDoc[];
  /** `before` is absent for what is new. */
  readonly wallets: readonly Change<WalletDoc>[];
  readonly users: readonly Change<UserDoc>[];
  readonly transfers: readonly Change<TransferDoc>[];
  readonly holds: readonly Change<HoldDoc>[];
}

export interface Change<T> {
  readonly before: T | undefined;
  readonly after: T;
}

/** The view and the pen of one operation. Nothing it does is visible before `Book.apply`. */
export interface Draft {
  readonly scope: DraftScope;
  readonly entries: readonly EntryDoc[];
  readonly events: readonly DraftEvent[];
  readonly written: LedgerState;
  user(userId: string): UserDoc | undefined;
  wallet(userId: string, currency: string): WalletDoc | undefined;
  walletsOf(userId: string): readonly WalletDoc[];
  /** This transaction's stripe of a system wallet that is not full; opened on first use. */
  system(name: SystemWallet, currency: string): WalletDoc;
  transfer(id: string): TransferDoc | undefined;
  hold(id: string): HoldDoc | undefined;
  /** Of a wallet, as far as they were read or are its operation's own. */
  holdsOf(wallet: Pick<WalletDoc, 'userId' | 'currency'>): readonly HoldDoc[];
  putUser(user: UserDoc): void;
  putWallet(wallet: WalletDoc): void;
  putTransfer(transfer: TransferDoc): void;
  putHold(hold: HoldDoc): void;
  /** Double entry: one debit, one credit of the same amount. The caller has checked the rules. */
  move(movement: Movement): void;
  emit<N extends EventName>(name: N, data: EventData<N>): void;
  /** A draft on top of this one (an item of a batch); `absorb` takes it in. */
  nested(): Draft;
  absorb(draft: Draft): void;
}

export function createBook(loaded: LedgerState): Book {
  const state: MutableState = {
    users: new Map(loaded.users),
    wallets: new Map(loaded.wallets),
    transfers: new Map(loaded.transfers),
    holds: new Map(loaded.holds),
  };
  const entries: EntryDoc[] = [];
  return Object.freeze({
    draft: (scope: DraftScope, legOffset = 0) => createDraft(scope, [state], legOffset),
    apply: (draft: Draft) => {
      assertBalanced(draft.entries);
      for (const wallet of draft.written.wallets.values()) assertWallet(wallet);
      for (const entry of draft.entries) entries.push(entry);
      mergeInto(state, draft.written);
    },
    changes: () => ({
      entries,
      wallets: changesOf(loaded.wallets, state.wallets),
      users: changesOf(loaded.users, state.users),
      transfers: changesOf(loaded.transfers, state.transfers),
      holds: changesOf(loaded.holds, state.holds),
    }),
  });
}

type MutableState = { readonly [K in keyof Kinds]: Map<string, Kinds[K]> };

function emptyState(): MutableState {
  return { users: new Map(), wallets: new Map(), transfers: new Map(), holds: new Map() };
}

/** `below`: what lies under the draft, nearest first. */
function createDraft(scope: DraftScope, below: readonly LedgerState[], legOffset: number): Draft {
  const written = emptyState();
  const layers: readonly LedgerState[] = [written, ...below];
  const entries: EntryDoc[] = [];
  const events: DraftEvent[] = [];
  const find = <K extends keyof Kinds>(kind: K, id: string): Kinds[K] | undefined => {
    for (const layer of layers) {
      const found = layer[kind].get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  /** Checked where it is looked at, so that a wallet gone wrong stops nobody else's operation. */
  const findWallet = (id: string): WalletDoc | undefined => {
    const found = find('wallets', id);
    if (found !== undefined) assertWallet(found);
    return found;
  };

  const post = (movement: Movement, walletId: string, direction: Direction): void => {
    const wallet = present(findWallet(walletId), 'the wallet of a movement');
    const { entry, after } = postEntry(scope, movement, {
      wallet,
      direction,
      leg: legOffset + entries.length + 1,
    });
    entries.push(entry);
    written.wallets.set(walletId, after);
  };

  return {
    scope,
    entries,
    events,
    written,
    user: (userId) => find('users', userDocId(scope.tenantId, userId)),
    wallet: (userId, currency) => findWallet(walletIdOf(scope.tenantId, userId, currency)),
    walletsOf: (userId) => walletsOf(scope.tenantId, userId, layers),
    system: (name, currency) => {
      let stripe = scope.stripe;
      const idOf = (): WalletId => walletIdOf(scope.tenantId, systemUserId(name, stripe), currency);
      let found = findWallet(idOf());
      while (found !== undefined && isFull(found)) {
        stripe += LIMITS.systemStripes;
        found = findWallet(idOf());
      }
      if (found !== undefined) return found;
      const [userId, id] = [systemUserId(name, stripe), idOf()];
      const opened = openWallet({
        tenantId: scope.tenantId,
        userId,
        currency,
        overdraftLimit: 0n,
        ownerBlocked: false,
        at: scope.at,
      });
      written.wallets.set(id, opened);
      return opened;
    },
    transfer: (id) => find('transfers', id),
    hold: (id) => find('holds', id),
    holdsOf: (wallet) => holdsOf({ ...wallet, tenantId: scope.tenantId }, layers),
    putUser: (user) => written.users.set(user._id, user),
    putWallet: (wallet) => written.wallets.set(wallet._id, wallet),
    putTransfer: (transfer) => written.transfers.set(transfer._id, transfer),
    putHold: (hold) => written.holds.set(hold._id, hold),
    move: (movement) => {
      assert(movement.amount > 0n, 'a movement has a positive amount');
      assert(movement.from._id !== movement.to._id, 'a movement has two wallets');
      assert(movement.from.currency === movement.to.currency, 'a movement has one currency');
      post(movement, movement.from._id, 'debit');
      post(movement, movement.to._id, 'credit');
    },
    emit: (name, data) => events.push({ name, data }),
    nested: () => createDraft(scope, layers, legOffset + entries.length),
    absorb: (draft) => {
      entries.push(...draft.entries);
      events.push(...draft.events);
      mergeInto(written, draft.written);
    },
  };
}

/**
 * Time never runs backwards along a wallet's `seq`, whoever writes: a saga that was stamped before
 * it waited for its turn, or a process whose primary has another clock.
 */
export function laterOf(at: Date, floor: Date): Date {
  return at < floor ? floor : at;
}

interface Posting {
  readonly wallet: WalletDoc;
  readonly direction: Direction;
  readonly leg: number;
}

function postEntry(
  scope: DraftScope,
  movement: Movement,
  { wallet, direction, leg }: Posting,
): { readonly entry: EntryDoc; readonly after: WalletDoc } {
  const { amount, balanceType } = movement;
  const after = withPosting(wallet, balanceType, direction === 'credit' ? amount : -amount);
  const at = laterOf(scope.at, wallet.updatedAt);
  const stamped: WalletDoc = { ...after, seq: wallet.seq + 1, updatedAt: at };
  const entry: EntryDoc = {
    _id: `${scope.operationId}.${leg}`,
    operationId: scope.operationId,
    leg,
    tenantId: scope.tenantId,
    walletId: wallet._id,
    userId: wallet.userId,
    currency: wallet.currency,
    balanceType,
    direction,
    amount,
    balanceAfter: balanceOf(stamped, balanceType),
    seq: stamped.seq,
    createdAt: at,
    ...(at > scope.at && { decidedAt: scope.at }),
    ...(movement.effectiveAt !== undefined && { effectiveAt: movement.effectiveAt }),
    ...(movement.transferId !== undefined && { transferId: movement.transferId }),
    ...(movement.holdId !== undefined && { holdId: movement.holdId }),
    ...(movement.description !== undefined && { description: movement.description }),
    ...(scope.metadata !== undefined && { metadata: scope.metadata }),
  };
  return { entry, after: stamped };
}

function withPosting(wallet: WalletDoc, type: BalanceType, delta: bigint): WalletDoc {
  switch (type) {
    case 'real':
      return { ...wallet, balance: wallet.balance + delta, ...withPosted(wallet, delta) };
    case 'bonus':
      return { ...wallet, bonusBalance: wallet.bonusBalance + delta };
    case 'locked':
      return { ...wallet, lockedBalance: wallet.lockedBalance + delta };
  }
}

/** Every operation's entries sum to zero per currency and balance type, or nothing is written. */
function assertBalanced(entries: readonly EntryDoc[]): void {
  const sums = new Map<string, bigint>();
  for (const entry of entries) {
    const key = `${entry.currency}/${entry.balanceType}`;
    const signed = entry.direction === 'credit' ? entry.amount : -entry.amount;
    sums.set(key, (sums.get(key) ?? 0n) + signed);
  }
  for (const [key, sum] of sums) {
    assert(sum === 0n, 'the entries of an operation sum to zero', { key, sum: sum.toString() });
  }
}

function mergeInto(target: MutableState, source: LedgerState): void {
  for (const [id, user] of source.users) target.users.set(id, user);
  for (const [id, wallet] of source.wallets) target.wallets.set(id, wallet);
  for (const [id, transfer] of source.transfers) target.transfers.set(id, transfer);
  for (const [id, hold] of source.holds) target.holds.set(id, hold);
}

function changesOf<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly Change<T>[] {
  const changed: Change<T>[] = [];
  for (const [id, value] of after) {
    const old = before.get(id);
    if (old !== value) changed.push({ before: old, after: value });
  }
  return changed;
}
