import { LIMITS } from '../../../config/limits.ts';
import { originOf } from '../../kernel/ids.ts';
import {
  type BalanceType,
  type EntryDoc,
  type HoldDoc,
  type TransferDoc,
  LEGS_PER_POSTING,
  type WalletDoc,
  isSystemUser,
} from '../documents.ts';
import { type CurrencySummary, type Findings, type Sums, noSums } from './report.ts';
import { availableOf, balanceOf, withPosted } from '../wallet.ts';
import { noneFails } from '../../kernel/every.ts';

const BALANCE_TYPES = ['real', 'bonus', 'locked'] as const satisfies readonly BalanceType[];

/** What the verifier has to know of operation types; their registry stands above the ledger. */
export interface LedgerRules {
  /** Whether a type, once succeeded, has entries. Undefined: it is not held to either. */
  movesMoney(type: string): boolean | undefined;
  /** Posts step by step, and takes back what it posted by entries of its own. */
  isStepwise(type: string): boolean;
}

/** The fields of an operation that its entries are held against. */
export interface OperationRow {
  readonly _id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly status: string;
  readonly dryRun?: boolean;
  /** Of a batch: the types in it. */
  readonly input?: { readonly operations?: readonly { readonly type: string }[] };
}

/** What the entries of one wallet add up to, fed in the order of `seq`. */
export interface WalletFold {
  readonly walletId: string;
  readonly seq: number;
  readonly sums: Readonly<Sums>;
  readonly totalCredited: bigint;
  readonly totalDebited: bigint;
  /** The first entry: whose wallet the log takes this for. */
  readonly owner: EntryDoc | undefined;
  add(entry: EntryDoc, findings: Findings): void;
}

function signedAmount(entry: EntryDoc): bigint {
  return entry.direction === 'credit' ? entry.amount : -entry.amount;
}

/** Why a stored entry cannot be one, or undefined. Types are looked at too: storage has no schema. */
export function entryProblem(entry: EntryDoc): string | undefined {
  if (typeof entry.walletId !== 'string') return 'walletId is not a string';
  if (typeof entry.amount !== 'bigint') return 'amount is not an int64';
  if (typeof entry.balanceAfter !== 'bigint') return 'balanceAfter is not an int64';
  if (entry.amount <= 0n) return `amount is ${entry.amount.toString()}`;
  if (entry.direction !== 'credit' && entry.direction !== 'debit') {
    return 'direction is neither debit nor credit';
  }
  if (!BALANCE_TYPES.includes(entry.balanceType)) return 'balanceType is unknown';
  if (entry._id !== `${entry.operationId}.${String(entry.leg)}`) {
    return `operationId and leg make ${entry.operationId}.${String(entry.leg)}`;
  }
  return undefined;
}

export function createWalletFold(walletId: string): WalletFold {
  const sums = noSums();
  const after = noSums();
  let totals = { totalCredited: 0n, totalDebited: 0n };
  let seq = 0;
  let owner: EntryDoc | undefined;

  const checkPlace = (entry: EntryDoc, findings: Findings): void => {
    if (entry.seq !== seq + 1) {
      findings.add('wallet.seq-gap', entry._id, `seq ${entry.seq} follows ${seq} of ${walletId}`);
    }
    const isSameOwner =
      owner === undefined ||
      (entry.tenantId === owner.tenantId &&
        entry.userId === owner.userId &&
        entry.currency === owner.currency);
    if (!isSameOwner) {
      findings.add('entry.foreign', entry._id, `differs from others of ${walletId}`);
    }
  };

  return {
    walletId,
    get seq() {
      return seq;
    },
    sums,
    get totalCredited() {
      return totals.totalCredited;
    },
    get totalDebited() {
      return totals.totalDebited;
    },
    get owner() {
      return owner;
    },
    add: (entry, findings) => {
      checkPlace(entry, findings);
      seq = entry.seq;
      owner ??= entry;
      // Its own violation, reported where operations are walked; nothing can be added up from it.
      if (entryProblem(entry) !== undefined) return;
      const amount = signedAmount(entry);
      const type = entry.balanceType;
      const expected = after[type] + amount;
      if (entry.balanceAfter !== expected) {
        const detail = `${type} balance ${expected.toString()} expected after seq ${entry.seq} of `;
        const stated = `${walletId}, the entry says ${entry.balanceAfter.toString()}`;
        findings.add('wallet.chain', entry._id, detail + stated);
      }
      after[type] = entry.balanceAfter;
      sums[type] += amount;
      if (type === 'real') totals = withPosted(totals, amount);
    },
  };
}

/** A wallet against the fold of its entries and what its open holds claim, all as of one instant. */
export function checkWallet(
  wallet: WalletDoc,
  fold: WalletFold,
  context: { readonly claimed: bigint; readonly findings: Findings },
): void {
  const { claimed, findings } = context;
  const pairs: readonly (readonly [string, bigint | number, bigint | number])[] = [
    ['seq', wallet.seq, fold.seq],
    ...BALANCE_TYPES.map((type) => [type, balanceOf(wallet, type), fold.sums[type]] as const),
    ['totalCredited', wallet.totalCredited, fold.totalCredited],
    ['totalDebited', wallet.totalDebited, fold.totalDebited],
  ];
  const wrong = pairs.filter(([, stored, folded]) => stored !== folded);
  if (wrong.length > 0) {
    const list = wrong.map(
      ([name, stored, folded]) => `${name} ${String(stored)}/${String(folded)}`,
    );
    findings.add('wallet.fold', wallet._id, `stored/recomputed: ${list.join(', ')}`);
  }
  const { owner } = fold;
  const isOwners =
    owner === undefined ||
    (owner.tenantId === wallet.tenantId &&
      owner.userId === wallet.userId &&
      owner.currency === wallet.currency);
  if (!isOwners) findings.add('entry.foreign', owner._id, `differs from its wallet ${wallet._id}`);
  if (!isSystemUser(wallet.userId)) checkUserWallet(wallet, claimed, findings);
}

function checkUserWallet(wallet: WalletDoc, claimed: bigint, findings: Findings): void {
  if (wallet.lockedBalance !== claimed) {
    const detail = `locked ${wallet.lockedBalance.toString()}, open holds ${claimed.toString()}`;
    findings.add('wallet.locked', wallet._id, detail);
  }
  const available = availableOf(wallet);
  if (available < 0n || wallet.bonusBalance < 0n || wallet.lockedBalance < 0n) {
    const { bonusBalance, lockedBalance } = wallet;
    const rest = `bonus ${bonusBalance.toString()}, locked ${lockedBalance.toString()}`;
    findings.add('wallet.overspent', wallet._id, `available ${available.toString()}, ${rest}`);
  }
  const isEmpty = noneFails(BALANCE_TYPES, (type) => balanceOf(wallet, type) === 0n);
  if (wallet.status === 'closed' && !isEmpty) {
    findings.add('wallet.closed', wallet._id, 'closed, and not empty');
  }
}

function movesMoney(operation: OperationRow, rules: LedgerRules): boolean | undefined {
  if (operation.dryRun === true) return false;
  if (operation.type !== 'batch') return rules.movesMoney(operation.type);
  const items = (operation.input?.operations ?? []).map(({ type }) => rules.movesMoney(type));
  if (items.includes(true)) return true;
  return items.includes(undefined) ? undefined : false;
}

const TAKEN_BACK: ReadonlySet<string> = new Set(['rejected', 'compensated', 'canceled', 'expired']);

function mayHaveEntries(operation: OperationRow, own: OwnEntries): boolean {
  const { entries, rules } = own;
  if (operation.status === 'succeeded') return true;
  if (!rules.isStepwise(operation.type)) return false;
  return !TAKEN_BACK.has(operation.status) || netsToZero(entries);
}

/** Per wallet and balance: nothing of it stays. */
function netsToZero(entries: readonly EntryDoc[]): boolean {
  const sums = new Map<string, bigint>();
  for (const entry of entries) {
    if (givesBackAnothers(entry)) continue;
    // The stripes of a system wallet are one wallet: the way back may use another one.
    const owner = isSystemUser(entry.userId) ? entry.userId.replace(/#.*$/, '') : entry.userId;
    const key = `${owner}/${entry.currency}/${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signedAmount(entry));
  }
  return noneFails([...sums.values()], (sum) => sum === 0n);
}

/** Whoever wants money gives lapsed holds of others back, which stay so whatever becomes of it. */
function givesBackAnothers({ balanceType, holdId, operationId }: EntryDoc): boolean {
  if (balanceType !== 'locked' || holdId === undefined) return false;
  return originOf('hld', holdId) !== operationId;
}

interface OwnEntries {
  /** All of an operation's, in any order. */
  readonly entries: readonly EntryDoc[];
  readonly rules: LedgerRules;
}

/** An operation against its entries. */
export function checkOperation(operation: OperationRow, own: OwnEntries, findings: Findings): void {
  const { _id: id, status } = operation;
  const { entries, rules } = own;
  const mayHave = movesMoney(operation, rules);
  const ownEntries = entries.filter((entry) => !givesBackAnothers(entry));
  if (entries.length === 0) {
    if (status === 'succeeded' && mayHave === true) {
      findings.add('operation.no-entries', id, `${operation.type} succeeded without entries`);
    }
    return;
  }
  if (!mayHaveEntries(operation, own)) {
    findings.add('operation.status', id, `${status}, and has entries`);
  }
  if (mayHave === false && ownEntries.length > 0) {
    const extra = `${operation.type} with ${ownEntries.length} entries`;
    findings.add('operation.extra-entries', id, extra);
  }
  const stranger = entries.find((entry) => entry.tenantId !== operation.tenantId);
  if (stranger !== undefined) {
    findings.add('entry.foreign', stranger._id, `its operation is of ${operation.tenantId}`);
  }
}

/** The entries of one operation among themselves; what was summed up is added to `totals`. */
export function checkEntries(
  id: string,
  entries: readonly EntryDoc[],
  context: {
    readonly totals: EntryTotals;
    readonly findings: Findings;
    /** Its legs begin anew with every posting. */
    readonly isStepwise: boolean;
  },
): void {
  const { totals, findings, isStepwise } = context;
  const sums = new Map<string, bigint>();
  const legs = new Set<number>();
  for (const entry of entries) {
    legs.add(entry.leg);
    const problem = entryProblem(entry);
    if (problem !== undefined) {
      findings.add('entry.malformed', entry._id, problem);
      continue;
    }
    totals.add(entry);
    const key = `${entry.tenantId} ${entry.currency} ${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signedAmount(entry));
  }
  for (const [key, sum] of sums) {
    if (sum !== 0n) findings.add('operation.sum', id, `${key}: ${sum.toString()} is left over`);
  }
  if (!isGapless(legs, isStepwise)) {
    findings.add(
      'operation.legs',
      id,
      `${entries.length} entries, numbered ${[...legs].join(' ')}`,
    );
  }
}

/** From 1 on; in every posting of a stepwise operation from the first of its legs on. */
function isGapless(legs: ReadonlySet<number>, isStepwise: boolean): boolean {
  return noneFails([...legs], (leg) => {
    const isFirst = isStepwise ? leg % LEGS_PER_POSTING === 1 : leg === 1;
    return isFirst || legs.has(leg - 1);
  });
}

/** Adds up entries per tenant and currency. */
export interface EntryTotals {
  add(entry: EntryDoc): void;
  get(key: string): { readonly entries: number; readonly sums: Readonly<Sums> } | undefined;
  keys(): Iterable<string>;
}

export function currencyKey(tenantId: string, currency: string): string {
  return `${tenantId}/${currency}`;
}

export function createEntryTotals(): EntryTotals {
  const totals = new Map<string, { entries: number; readonly sums: Sums }>();
  return {
    add: (entry) => {
      const key = currencyKey(entry.tenantId, entry.currency);
      const row = totals.get(key) ?? { entries: 0, sums: noSums() };
      totals.set(key, row);
      row.entries += 1;
      row.sums[entry.balanceType] += signedAmount(entry);
    },
    get: (key) => totals.get(key),
    keys: () => totals.keys(),
  };
}

/** The conservation of money in one currency. */
export function checkCurrency(summary: CurrencySummary, findings: Findings): void {
  const id = currencyKey(summary.tenantId, summary.currency);
  for (const type of BALANCE_TYPES) {
    const entries = summary.entriesSum[type];
    if (entries !== 0n) {
      findings.add('currency.entries-sum', id, `${type} entries sum to ${entries.toString()}`);
    }
    const wallets = summary.walletsSum[type];
    if (wallets !== 0n) {
      findings.add('currency.wallets-sum', id, `${type} balances sum to ${wallets.toString()}`);
    }
  }
}

export function checkTransfer(transfer: TransferDoc, findings: Findings): void {
  const { amount, reversedAmount, status } = transfer;
  const isWithin = amount > 0n && reversedAmount >= 0n && reversedAmount <= amount;
  const unlessFull = reversedAmount === 0n ? 'settled' : 'partially_reversed';
  const expected = reversedAmount === amount ? 'reversed' : unlessFull;
  if (isWithin && status === expected) return;
  const moved = `${reversedAmount.toString()} of ${amount.toString()} given back`;
  findings.add('transfer.reversed', transfer._id, `${moved}, status ${status}`);
}

export function checkHold(hold: HoldDoc, findings: Findings): void {
  const { amount, captured, released, status } = hold;
  const left = amount - captured - released;
  const isWithin = amount > 0n && captured >= 0n && released >= 0n && left >= 0n;
  const isOpen = status === 'open';
  if (isWithin && isOpen === left > 0n && amount <= LIMITS.amountMinorMax) return;
  const used = `${captured.toString()} captured and ${released.toString()} released`;
  findings.add('hold.used', hold._id, `${used} of ${amount.toString()}, status ${status}`);
}
