import { LIMITS } from '../../config/limits.ts';
import { assert } from '../kernel/assert.ts';
import { walletIdOf } from '../kernel/ids.ts';
import { assertBalanceRange } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import { type BalanceType, type WalletDoc, isSystemUser } from './documents.ts';

/** What can be spent, minor units. */
export function availableOf(wallet: WalletDoc): bigint {
  return wallet.balance - wallet.lockedBalance + wallet.overdraftLimit;
}

export function balanceOf(wallet: WalletDoc, type: BalanceType): bigint {
  switch (type) {
    case 'real':
      return wallet.balance;
    case 'bonus':
      return wallet.bonusBalance;
    case 'locked':
      return wallet.lockedBalance;
  }
}

interface LifetimeTotals {
  readonly totalCredited: bigint;
  readonly totalDebited: bigint;
}

/**
 * The lifetime totals after a posting. What both sides have in common is taken off before either
 * outgrows what can be stored, so their difference is the balance for ever.
 */
export function withPosted(totals: LifetimeTotals, delta: bigint): LifetimeTotals {
  const totalCredited = delta > 0n ? totals.totalCredited + delta : totals.totalCredited;
  const totalDebited = delta < 0n ? totals.totalDebited - delta : totals.totalDebited;
  const isSmall = totalCredited <= LIMITS.totalMinorMax && totalDebited <= LIMITS.totalMinorMax;
  if (isSmall) return { totalCredited, totalDebited };
  const common = totalCredited < totalDebited ? totalCredited : totalDebited;
  return { totalCredited: totalCredited - common, totalDebited: totalDebited - common };
}

/** The invariants of one wallet, checked after every read and before every write. */
export function assertWallet(wallet: WalletDoc): void {
  const context = { walletId: wallet._id, seq: wallet.seq };
  assert(Number.isSafeInteger(wallet.seq) && wallet.seq >= 0, 'a wallet seq counts up', context);
  assert(
    wallet.totalCredited - wallet.totalDebited === wallet.balance,
    'a balance equals its lifetime totals',
    context,
  );
  assertBalanceRange(wallet.balance, 'a balance');
  assertBalanceRange(wallet.bonusBalance, 'a bonus balance');
  assertBalanceRange(wallet.lockedBalance, 'a locked balance');
  if (isSystemUser(wallet.userId)) return;
  assert(wallet.overdraftLimit >= 0n, 'an overdraft limit is not negative', context);
  assert(wallet.bonusBalance >= 0n, 'a bonus balance is not negative', context);
  assert(wallet.lockedBalance >= 0n, 'a locked balance is not negative', context);
  assert(availableOf(wallet) >= 0n, 'no wallet is spent beyond its limit', context);
  assert(
    wallet.status !== 'closed' || (wallet.balance === 0n && wallet.lockedBalance === 0n),
    'a closed wallet is empty',
    context,
  );
}

interface NewWallet {
  readonly tenantId: string;
  readonly userId: string;
  readonly currency: string;
  readonly overdraftLimit: bigint;
  readonly ownerBlocked: boolean;
  readonly at: Date;
}

/** A wallet as it is opened: no entries, nothing in it. */
export function openWallet(options: NewWallet): WalletDoc {
  const { tenantId, userId, currency, overdraftLimit, ownerBlocked, at } = options;
  return {
    _id: walletIdOf(tenantId, userId, currency),
    tenantId,
    userId,
    currency,
    balance: 0n,
    bonusBalance: 0n,
    lockedBalance: 0n,
    overdraftLimit,
    status: 'active',
    ownerBlocked,
    seq: 0,
    totalCredited: 0n,
    totalDebited: 0n,
    createdAt: at,
    updatedAt: at,
  };
}

/** Money may come in unless the wallet is closed: a frozen wallet still receives. */
export function checkCredit(wallet: WalletDoc): Result<WalletDoc> {
  if (wallet.status === 'closed') {
    return refuse('wallet_closed', `The ${wallet.currency} wallet of ${wallet.userId} is closed`);
  }
  return ok(wallet);
}

/** Money may go out of an active wallet of a user who is not blocked. */
export function checkOutgoing(wallet: WalletDoc): Result<WalletDoc> {
  const whose = `The ${wallet.currency} wallet of ${wallet.userId}`;
  if (wallet.status === 'closed') return refuse('wallet_closed', `${whose} is closed`);
  if (wallet.status === 'frozen') return refuse('wallet_frozen', `${whose} is frozen`);
  if (wallet.ownerBlocked) return refuse('user_blocked', `User ${wallet.userId} is blocked`);
  return ok(wallet);
}

/** Outgoing, and enough of it: for debits, transfers, fees and new holds. */
export function checkDebit(wallet: WalletDoc, amount: bigint): Result<WalletDoc> {
  const outgoing = checkOutgoing(wallet);
  if (!outgoing.ok) return outgoing;
  const available = availableOf(wallet);
  if (available < amount) {
    return refuse(
      'insufficient_funds',
      `${amount.toString()} ${wallet.currency} needed, ${available.toString()} available to ` +
        wallet.userId,
    );
  }
  return ok(wallet);
}
