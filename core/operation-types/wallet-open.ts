import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import { openWallet } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { amountOrZero, currency, userId } from '../operations/inputs.ts';

export const walletOpen = defineOperation({
  type: 'wallet.open',
  version: 1,
  mode: 'atomic',
  movesMoney: false,
  summary: 'Opens a wallet of an existing user in one currency',
  input: z.strictObject({ userId, currency, overdraftLimit: amountOrZero.exactOptional() }),
  ordering: (input) => ({ user: input.userId }),
  creates: (input) => [input.userId],
  touches: (input) => ({ users: [input.userId], wallets: [input] }),
  decide: (draft, input) => {
    const user = draft.user(input.userId);
    if (user === undefined) {
      return refuse('user_not_found', `User ${input.userId} does not exist`);
    }
    if (draft.wallet(input.userId, input.currency) !== undefined) {
      return refuse('wallet_exists', `${input.userId} already has a ${input.currency} wallet`);
    }
    const wallet = openWallet({
      tenantId: draft.scope.tenantId,
      userId: input.userId,
      currency: input.currency,
      overdraftLimit: parseMinor(input.overdraftLimit ?? '0'),
      ownerBlocked: user.status === 'blocked',
      at: draft.scope.at,
    });
    draft.putWallet(wallet);
    // A write, so that blocking the user at the same moment conflicts and sees the new wallet.
    draft.putUser({ ...user, updatedAt: draft.scope.at });
    return ok({ walletId: wallet._id });
  },
});
