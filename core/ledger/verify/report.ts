import type { BalanceType } from '../documents.ts';

/** Everything that `sluice ledger verify` recomputes, and what each check claims. */
export const LEDGER_CHECKS = {
  'entry.malformed': 'an entry has the id, the amounts and the direction of an entry',
  'entry.foreign': 'an entry names the tenant, user and currency of its wallet',
  'wallet.missing': 'every entry has its wallet',
  'wallet.seq-gap': 'the entries of a wallet are numbered from 1 without gap or repeat',
  'wallet.chain': 'each balanceAfter follows from the one before it',
  'wallet.fold': 'a wallet is the fold of its entries: balances, totals and seq',
  'wallet.locked': 'a locked balance is what the open holds still claim',
  'wallet.overspent': 'no user spends, locks or owes more than the limit allows',
  'wallet.closed': 'a closed wallet is empty',
  'operation.missing': 'every entry has its operation',
  'operation.status': 'only operations that succeeded have entries',
  'operation.no-entries': 'an operation that moved money has entries',
  'operation.extra-entries': 'an operation that moves no money has no entries',
  'operation.legs': 'the entries of an operation are numbered from 1 without gap',
  'operation.sum': 'the entries of an operation sum to zero',
  'currency.entries-sum': 'all entries of a currency sum to zero',
  'currency.wallets-sum': 'all wallets of a currency sum to zero',
  'transfer.reversed': 'a transfer gives back at most what it moved, and its status says so',
  'hold.used': 'a hold gives out at most what it set aside, and its status says so',
} as const satisfies Record<string, string>;

export type LedgerCheck = keyof typeof LEDGER_CHECKS;

export interface Violation {
  readonly check: LedgerCheck;
  /** Of the entry, wallet, operation, transfer or hold; of a sum, `<tenant>/<currency>`. */
  readonly id: string;
  readonly detail: string;
}

/** Collects violations: all are counted, the first ones are kept. */
export interface Findings {
  add(check: LedgerCheck, id: string, detail: string): void;
  readonly count: number;
  readonly byCheck: Readonly<Partial<Record<LedgerCheck, number>>>;
  readonly first: readonly Violation[];
}

export function createFindings(keepMax: number): Findings {
  const first: Violation[] = [];
  const byCheck: Partial<Record<LedgerCheck, number>> = {};
  let count = 0;
  return {
    add: (check, id, detail) => {
      count += 1;
      byCheck[check] = (byCheck[check] ?? 0) + 1;
      if (first.length < keepMax) first.push({ check, id, detail });
    },
    get count() {
      return count;
    },
    byCheck,
    first,
  };
}

export type Sums = Record<BalanceType, bigint>;

export function noSums(): Sums {
  return { real: 0n, bonus: 0n, locked: 0n };
}

/** One tenant's money in one currency. Both sums are zero in a sound ledger. */
export interface CurrencySummary {
  readonly tenantId: string;
  readonly currency: string;
  readonly userWallets: number;
  readonly systemWallets: number;
  readonly entries: number;
  /** What the users own together; the system wallets are its mirror. */
  readonly heldByUsers: Readonly<Sums>;
  readonly walletsSum: Readonly<Sums>;
  readonly entriesSum: Readonly<Sums>;
}

export interface VerifyCounts {
  wallets: number;
  entries: number;
  operations: number;
  transfers: number;
  holds: number;
}

export interface VerifyReport {
  readonly isClean: boolean;
  readonly counts: Readonly<VerifyCounts>;
  readonly currencies: readonly CurrencySummary[];
  readonly violationCount: number;
  readonly byCheck: Readonly<Partial<Record<LedgerCheck, number>>>;
  /** The first ones found. */
  readonly violations: readonly Violation[];
  readonly elapsedMs: number;
}
