import type { EventData } from '../events/catalog.ts';
import { present } from '../kernel/assert.ts';
import { formatMinor } from '../kernel/money.ts';
import type { Draft } from './book.ts';
import type { HoldDoc, WalletDoc } from './documents.ts';

/** Judged by when the operation was accepted: what waits in its line loses nothing by that. */
export function hasExpired({ scope }: Draft, { expiresAt }: Pick<HoldDoc, 'expiresAt'>): boolean {
  return expiresAt !== undefined && expiresAt <= (scope.acceptedAt ?? scope.at);
}

/** What every event of a hold says. */
export function holdEvent(
  { _id, userId, currency }: Pick<HoldDoc, '_id' | 'userId' | 'currency'>,
  amount: bigint,
): EventData<'hold.placed'> {
  return { holdId: _id, userId, currency, amount: formatMinor(amount) };
}

export function leftOf({ amount, captured, released }: HoldDoc): bigint {
  return amount - captured - released;
}

interface Unlocking {
  readonly hold: HoldDoc;
  readonly wallet: WalletDoc;
  readonly value: bigint;
}

/** Takes an amount out of the locked balance: the mirror of placing. */
export function unlock(draft: Draft, { hold, wallet, value }: Unlocking): void {
  draft.move({
    from: wallet,
    to: draft.system('clearing', hold.currency),
    amount: value,
    balanceType: 'locked',
    holdId: hold._id,
  });
}

/** Gives what is left of an open hold back to its wallet; returns how much that is. */
export function giveBack(draft: Draft, hold: HoldDoc, wallet: WalletDoc): bigint {
  const left = leftOf(hold);
  const isLate = hasExpired(draft, hold);
  unlock(draft, { hold, wallet, value: left });
  draft.putHold({
    ...hold,
    released: hold.released + left,
    status: isLate ? 'expired' : 'released',
    updatedAt: draft.scope.at,
  });
  draft.emit(isLate ? 'hold.expired' : 'hold.released', holdEvent(hold, left));
  return left;
}

type WalletName = Pick<WalletDoc, 'userId' | 'currency'>;

/** Open past their time and no operation's own, the largest first. */
export function lapsedHolds(draft: Draft, wallets: readonly WalletName[]): readonly HoldDoc[] {
  return wallets
    .flatMap((wallet) => draft.holdsOf(wallet))
    .filter((hold) => hold.status === 'open' && hold.managedBy === undefined)
    .filter((hold) => hasExpired(draft, hold))
    .sort((a, b) => (leftOf(a) < leftOf(b) ? 1 : -1));
}

/** From its expiry nobody may keep the funds of a hold, whether or not recovery has come by. */
export function expire(draft: Draft, lapsed: readonly HoldDoc[]): void {
  for (const hold of lapsed) {
    const wallet = draft.wallet(hold.userId, hold.currency);
    giveBack(draft, hold, present(wallet, 'the wallet of a hold'));
  }
}
