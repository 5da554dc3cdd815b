import { LIMITS } from '../../config/limits.ts';
import { parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { Draft, Movement } from '../ledger/book.ts';
import { type WalletDoc, isSystemUser } from '../ledger/documents.ts';
import { checkCredit, checkDebit } from '../ledger/wallet.ts';
import type { WalletRef } from '../operations/touches.ts';

/** The wallet, or the refusal that names what is missing. */
export function findWallet(draft: Draft, ref: WalletRef): Result<WalletDoc> {
  const wallet = draft.wallet(ref.userId, ref.currency);
  return wallet === undefined
    ? refuse('wallet_not_found', `User ${ref.userId} has no ${ref.currency} wallet`)
    : ok(wallet);
}

/**
 * Moves real money between two wallets under the rules of both: what the payer may spend, what the
 * payee may receive. System wallets have no limit.
 */
export function pay(draft: Draft, movement: Movement): Result<undefined> {
  const { from, to, amount } = movement;
  if (from._id === to._id) {
    return refuse('same_wallet', 'Source and destination are the same wallet');
  }
  if (!isSystemUser(from.userId)) {
    const debit = checkDebit(from, amount);
    if (!debit.ok) return debit;
  }
  const credit = checkIncoming(to, amount);
  if (!credit.ok) return credit;
  draft.move(movement);
  return ok(undefined);
}

/** Open for credits, and with room for the amount. */
export function checkIncoming(wallet: WalletDoc, amount: bigint): Result<WalletDoc> {
  if (isSystemUser(wallet.userId)) return ok(wallet);
  const after = wallet.balance > wallet.bonusBalance ? wallet.balance : wallet.bonusBalance;
  if (after + amount > LIMITS.balanceMinorMax) {
    return refuse('balance_limit', `The wallet of ${wallet.userId} cannot hold that much`);
  }
  return checkCredit(wallet);
}

/** Takes a fee from a wallet, if there is one. */
export function payFee(
  draft: Draft,
  payerOf: WalletRef & { readonly fee?: string },
  details: Pick<Movement, 'transferId' | 'effectiveAt'> = {},
): Result<undefined> {
  const fee = parseMinor(payerOf.fee ?? '0');
  if (fee === 0n) return ok(undefined);
  const payer = findWallet(draft, payerOf);
  if (!payer.ok) return payer;
  return pay(draft, {
    ...details,
    from: payer.value,
    to: draft.system('fees', payerOf.currency),
    amount: fee,
    balanceType: 'real',
    description: 'fee',
  });
}
