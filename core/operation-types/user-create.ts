import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { parseMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import { userDocId } from '../ledger/documents.ts';
import { openWallet } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { amountOrZero, contacts, currency, userId } from '../operations/inputs.ts';

const wallets = z
  .array(z.strictObject({ currency, overdraftLimit: amountOrZero.exactOptional() }))
  .max(20)
  .refine(
    (list) => new Set(list.map((wallet) => wallet.currency)).size === list.length,
    'must name each currency once',
  );

export const userCreate = defineOperation({
  type: 'user.create',
  version: 1,
  mode: 'atomic',
  movesMoney: false,
  summary: "Creates a user, a tenant's customer, and optionally opens wallets",
  input: z.strictObject({
    userId,
    displayName: z.string().min(1).max(LIMITS.descriptionCharsMax).exactOptional(),
    contacts: contacts.exactOptional(),
    wallets: wallets.exactOptional(),
  }),
  ordering: (input) => ({ user: input.userId }),
  creates: (input) => [input.userId],
  touches: (input) => ({
    users: [input.userId],
    wallets: (input.wallets ?? []).map((wallet) => ({
      userId: input.userId,
      currency: wallet.currency,
    })),
  }),
  decide: (draft, input) => {
    const { tenantId, at } = draft.scope;
    if (draft.user(input.userId) !== undefined) {
      return refuse('user_exists', `User ${input.userId} already exists`);
    }
    draft.putUser({
      _id: userDocId(tenantId, input.userId),
      tenantId,
      userId: input.userId,
      ...(input.displayName !== undefined && { displayName: input.displayName }),
      ...(input.contacts !== undefined && { contacts: input.contacts }),
      status: 'active',
      createdAt: at,
      updatedAt: at,
    });
    for (const wallet of input.wallets ?? []) {
      draft.putWallet(
        openWallet({
          tenantId,
          userId: input.userId,
          currency: wallet.currency,
          overdraftLimit: parseMinor(wallet.overdraftLimit ?? '0'),
          ownerBlocked: false,
          at,
        }),
      );
    }
    draft.emit('user.created', { userId: input.userId });
    return ok(undefined);
  },
  describe: (input) => ({ userId: input.userId }),
});
