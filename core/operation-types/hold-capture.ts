import { z } from 'zod';
import { present } from '../kernel/assert.ts';
import { originOf } from '../kernel/ids.ts';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import type { HoldDoc, WalletDoc } from '../ledger/documents.ts';
import { hasExpired, holdEvent, leftOf, unlock } from '../ledger/holds.ts';
import { checkOutgoing } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import type { Touches } from '../operations/touches.ts';
import { amount, currency, description, holdId, userId } from '../operations/inputs.ts';
import { checkIncoming, findWallet } from './rules.ts';

export const holdCapture = defineOperation({
  type: 'hold.capture',
  version: 1,
  mode: 'atomic',
  summary: 'Takes held funds, all that is left or a part, to a user or to the outside world',
  input: z
    .strictObject({
      holdId,
      amount: amount.exactOptional(),
      toUserId: userId.exactOptional(),
      /** Which wallet of toUserId; only that of the hold's currency will do. */
      currency: currency.exactOptional(),
      description: description.exactOptional(),
    })
    .refine((input) => input.toUserId !== undefined || input.currency === undefined, {
      path: ['currency'],
      message: 'is that of the hold: give it only beside toUserId, or not at all',
    }),
  ordering: (input) => ({ follows: present(originOf('hld', input.holdId), 'the origin') }),
  touches: (input) => ({
    holds: [input.holdId],
    ...payeeWallets(input),
  }),
  decide: (draft, input) => {
    const open = findOpenHold(draft, input.holdId);
    if (!open.ok) return open;
    const hold = open.value;
    const left = leftOf(hold);
    const value = input.amount === undefined ? left : parseMinor(input.amount);
    if (value > left) {
      return refuse('hold_exceeded', `${formatMinor(left)} of the hold is left to capture`);
    }
    const wallet = findWallet(draft, hold);
    if (!wallet.ok) return wallet;
    const outgoing = checkOutgoing(wallet.value);
    if (!outgoing.ok) return outgoing;
    const to = payee(draft, hold, input);
    if (!to.ok) return to;
    const incoming = checkIncoming(to.value, value);
    if (!incoming.ok) return incoming;
    unlock(draft, { hold, wallet: wallet.value, value });
    draft.move({
      from: wallet.value,
      to: to.value,
      amount: value,
      balanceType: 'real',
      holdId: hold._id,
      description: input.description ?? 'capture',
    });
    draft.putHold({
      ...hold,
      captured: hold.captured + value,
      status: value === left ? 'captured' : 'open',
      updatedAt: draft.scope.at,
    });
    draft.emit('hold.captured', holdEvent(hold, value));
    return ok({ holdId: hold._id, amount: formatMinor(value), left: formatMinor(left - value) });
  },
});

interface Payee {
  readonly toUserId?: string;
  readonly currency?: string;
}

/** Without a currency it is not known before the hold is read which wallet it will be. */
function payeeWallets({ toUserId, currency: code }: Payee): Partial<Touches> {
  if (toUserId === undefined) return {};
  return code === undefined
    ? { walletsOf: [toUserId] }
    : { wallets: [{ userId: toUserId, currency: code }] };
}

function payee(draft: Draft, hold: HoldDoc, input: Payee): Result<WalletDoc> {
  if (input.toUserId === undefined) return ok(draft.system('world', hold.currency));
  if (input.currency !== undefined && input.currency !== hold.currency) {
    return refuse(
      'wallet_not_found',
      `The hold is in ${hold.currency}; so must the payee's wallet`,
    );
  }
  if (input.toUserId === hold.userId) {
    return refuse('same_wallet', 'A capture goes to somebody else; release the hold instead');
  }
  return findWallet(draft, { userId: input.toUserId, currency: hold.currency });
}

/** The hold, if it can still be captured or released. */
function findOpenHold(draft: Draft, id: string): Result<HoldDoc> {
  const hold = draft.hold(id);
  if (hold === undefined || hold.tenantId !== draft.scope.tenantId) {
    return refuse('hold_not_found', `Hold ${id} does not exist`);
  }
  if (hold.managedBy !== undefined) {
    return refuse('hold_managed', `Hold ${id} belongs to a ${hold.managedBy}`);
  }
  if (hold.status !== 'open') {
    return refuse('hold_not_open', `Hold ${id} is ${hold.status}`);
  }
  if (hasExpired(draft, hold)) {
    return refuse('hold_expired', `Hold ${id} expired at ${hold.expiresAt?.toISOString() ?? ''}`);
  }
  return ok(hold);
}
