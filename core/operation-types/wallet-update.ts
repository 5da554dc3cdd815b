import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import { laterOf } from '../ledger/book.ts';
import type { WalletDoc } from '../ledger/documents.ts';
import { defineOperation } from '../operations/define.ts';
import { amountOrZero, currency, userId } from '../operations/inputs.ts';
import { findWallet } from './rules.ts';

export const walletUpdate = defineOperation({
  type: 'wallet.update',
  version: 1,
  mode: 'atomic',
  movesMoney: false,
  summary: 'Sets the overdraft limit, freezes, reactivates or closes a wallet',
  input: z
    .strictObject({
      userId,
      currency,
      overdraftLimit: amountOrZero.exactOptional(),
      status: z.enum(['active', 'frozen', 'closed']).exactOptional(),
    })
    .refine(
      (input) => input.overdraftLimit !== undefined || input.status !== undefined,
      'must change something: overdraftLimit or status',
    ),
  ordering: (input) => ({ user: input.userId }),
  mainWallet: (input) => input,
  touches: (input) => ({ wallets: [input] }),
  decide: (draft, input) => {
    const found = findWallet(draft, input);
    if (!found.ok) return found;
    const wallet = found.value;
    const next: WalletDoc = {
      ...wallet,
      ...(input.overdraftLimit !== undefined && {
        overdraftLimit: parseMinor(input.overdraftLimit),
      }),
      ...(input.status !== undefined && { status: input.status }),
      updatedAt: laterOf(draft.scope.at, wallet.updatedAt),
    };
    const checked = checkUpdate(wallet, next);
    if (!checked.ok) return checked;
    draft.putWallet(next);
    if (next.status !== wallet.status) {
      draft.emit(`wallet.${next.status === 'active' ? 'activated' : next.status}`, {
        userId: input.userId,
        currency: input.currency,
      });
    }
    return ok({ walletId: wallet._id });
  },
});

function checkUpdate(before: WalletDoc, after: WalletDoc): Result<WalletDoc> {
  const whose = `The ${before.currency} wallet of ${before.userId}`;
  if (before.status === 'closed') return refuse('wallet_closed', `${whose} is closed for good`);
  const isEmpty = after.balance === 0n && after.bonusBalance === 0n && after.lockedBalance === 0n;
  if (after.status === 'closed' && !isEmpty) {
    return refuse('wallet_not_empty', `${whose} still holds funds`);
  }
  if (after.balance - after.lockedBalance + after.overdraftLimit < 0n) {
    return refuse('overdraft_in_use', `${whose} uses more overdraft than the new limit allows`);
  }
  return ok(after);
}
