import { originOf, type HoldId, type TransferId } from '../../kernel/ids.ts';
import type { EntryDoc, WalletDoc } from '../documents.ts';
import { laterOf } from '../book.ts';
import { createFindings, type Violation } from '../verify/report.ts';
import { type WalletFold, createWalletFold, entryProblem } from '../verify/verify.ts';

/** What a wallet's entries say of a hold on it. */
export interface HoldHistory {
  readonly placed: EntryDoc;
  readonly captured: bigint;
  readonly released: bigint;
  /** What was last done to it, but for placing it. */
  readonly last?: {
    readonly kind: 'captured' | 'released';
    readonly operationId: EntryDoc['operationId'];
    readonly at: Date;
    readonly leg: number;
    readonly amount: bigint;
  };
}

/** What the payer's entries say of a transfer. */
export interface TransferHistory {
  readonly paid: EntryDoc;
  readonly fee: bigint;
  readonly reversedAmount: bigint;
  readonly updatedAt: Date;
  /** The `seq` of the last entry of it. */
  readonly seenUpTo: number;
}

export interface WalletHistory {
  readonly fold: WalletFold;
  /** Of the last entry. */
  readonly lastAt: Date | undefined;
  readonly first: EntryDoc | undefined;
  readonly holds: ReadonlyMap<HoldId, HoldHistory>;
  readonly transfers: ReadonlyMap<TransferId, TransferHistory>;
  /** Where the log contradicts itself: nothing is rebuilt from that. */
  readonly damage: readonly Violation[];
  add(entry: EntryDoc): void;
  /** Hands over what can no longer change, so that a long history takes little memory. */
  takeHolds(): ReadonlyMap<HoldId, HoldHistory>;
  takeTransfers(): ReadonlyMap<TransferId, TransferHistory>;
}

/** The time of the decision that wrote an entry. */
export function decidedAtOf({ decidedAt, createdAt }: EntryDoc): Date {
  return decidedAt ?? createdAt;
}

const DAMAGE_KEPT = 10;

/** Reads the entries of one wallet in the order of `seq`; of a system wallet only the money. Pure. */
export function createWalletHistory(walletId: string, isSystem = false): WalletHistory {
  const findings = createFindings(DAMAGE_KEPT);
  const fold = createWalletFold(walletId);
  let holds = new Map<HoldId, HoldHistory>();
  let transfers = new Map<TransferId, TransferHistory>();
  let lastAt: Date | undefined;
  let first: EntryDoc | undefined;
  let last: EntryDoc | undefined;
  return {
    fold,
    get lastAt() {
      return lastAt;
    },
    get first() {
      return first;
    },
    get holds() {
      return holds;
    },
    get transfers() {
      return transfers;
    },
    get damage() {
      return findings.first;
    },
    add: (entry) => {
      fold.add(entry, findings);
      const problem = entryProblem(entry);
      if (problem !== undefined) findings.add('entry.malformed', entry._id, problem);
      first ??= entry;
      last = entry;
      lastAt = lastAt === undefined ? entry.createdAt : laterOf(entry.createdAt, lastAt);
      if (isSystem) return;
      if (entry.holdId !== undefined) addHeld(holds, entry.holdId, entry);
      if (entry.transferId !== undefined) addTransferred(transfers, entry.transferId, entry);
    },
    takeHolds: () => {
      // What the last entry unlocks, the next one may take.
      const hasEnded = ([id, hold]: readonly [HoldId, HoldHistory]): boolean =>
        leftOfHold(hold) === 0n && id !== last?.holdId;
      const ended = new Map([...holds].filter(hasEnded));
      holds = new Map([...holds].filter(([id]) => !ended.has(id)));
      return ended;
    },
    takeTransfers: () => {
      // The fee comes right behind what was paid.
      const taken = new Map([...transfers].filter(([id]) => id !== last?.transferId));
      transfers = new Map([...transfers].filter(([id]) => !taken.has(id)));
      return taken;
    },
  };
}

export function leftOfHold({ placed, captured, released }: HoldHistory): bigint {
  return placed.amount - captured - released;
}

/**
 * Placing locks; releasing unlocks; capturing unlocks and then takes, two legs further on. What comes
 * in from the capture of another's hold is none of ours.
 */
function addHeld(holds: Map<HoldId, HoldHistory>, id: HoldId, entry: EntryDoc): void {
  const hold = holds.get(id);
  const isLock = entry.balanceType === 'locked';
  if (entry.direction === 'credit') {
    if (isLock) holds.set(id, hold ?? { placed: entry, captured: 0n, released: 0n });
  } else if (hold !== undefined) {
    holds.set(id, isLock ? unlockedBy(hold, entry) : takenBy(hold, entry));
  }
}

function unlockedBy(hold: HoldHistory, entry: EntryDoc): HoldHistory {
  const { amount, operationId, leg } = entry;
  const last = { kind: 'released' as const, operationId, at: decidedAtOf(entry), leg, amount };
  return { ...hold, released: hold.released + amount, last };
}

function takenBy(hold: HoldHistory, { amount, operationId, leg }: EntryDoc): HoldHistory {
  const { last } = hold;
  const isIts = last?.operationId === operationId && last.leg + 2 === leg;
  if (!isIts || last.amount !== amount) return hold;
  const released = hold.released - amount;
  return {
    ...{ ...hold, released, captured: hold.captured + amount },
    last: { ...last, kind: 'captured' },
  };
}

/** The payer pays, then the fee; whatever comes back under the transfer's id is a reversal. */
function addTransferred(
  transfers: Map<TransferId, TransferHistory>,
  id: TransferId,
  entry: EntryDoc,
): void {
  const transfer = transfers.get(id);
  if (entry.direction === 'credit') {
    if (transfer !== undefined) transfers.set(id, reversedBy(transfer, entry));
    return;
  }
  if (originOf('trf', id) !== entry.operationId) return; // the payee gives back
  const paid = {
    paid: entry,
    fee: 0n,
    reversedAmount: 0n,
    updatedAt: decidedAtOf(entry),
    seenUpTo: entry.seq,
  };
  const withFee = transfer && {
    ...transfer,
    fee: transfer.fee + entry.amount,
    seenUpTo: entry.seq,
  };
  transfers.set(id, withFee ?? paid);
}

export function reversedBy(
  transfer: TransferHistory,
  entry: Pick<EntryDoc, 'amount' | 'createdAt' | 'decidedAt' | 'seq'>,
): TransferHistory {
  const { amount, createdAt, decidedAt, seq } = entry;
  const reversedAmount = transfer.reversedAmount + amount;
  return { ...transfer, reversedAmount, updatedAt: decidedAt ?? createdAt, seenUpTo: seq };
}

/** The wallet with what its entries have made of it. */
export function withMoney(wallet: WalletDoc, { fold, lastAt }: WalletHistory): WalletDoc {
  return {
    ...wallet,
    balance: fold.sums.real,
    bonusBalance: fold.sums.bonus,
    lockedBalance: fold.sums.locked,
    seq: fold.seq,
    totalCredited: fold.totalCredited,
    totalDebited: fold.totalDebited,
    updatedAt: lastAt === undefined ? wallet.updatedAt : laterOf(lastAt, wallet.updatedAt),
  };
}
