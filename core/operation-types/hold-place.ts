import { z } from 'zod';
import { derivedId } from '../kernel/ids.ts';
import { parseMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import { hasExpired, holdEvent } from '../ledger/holds.ts';
import { checkDebit } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, description, instant, userId } from '../operations/inputs.ts';
import { findWallet } from './rules.ts';

export const holdPlace = defineOperation({
  type: 'hold.place',
  version: 1,
  mode: 'atomic',
  summary: 'Sets funds of a wallet aside until they are captured, released or expire',
  input: z.strictObject({
    userId,
    currency,
    amount,
    expiresAt: instant.exactOptional(),
    description: description.exactOptional(),
  }),
  ordering: (input) => ({ user: input.userId }),
  mainWallet: (input) => input,
  touches: (input) => ({
    wallets: [input],
    systems: [
      { name: 'clearing', currency: input.currency },
      // A capture in the same batch may pay it, and cannot ask for it: its hold is not stored yet.
      { name: 'world', currency: input.currency },
    ],
  }),
  decide: (draft, input, origin) => {
    const { tenantId, operationId, at } = draft.scope;
    const wallet = findWallet(draft, input);
    if (!wallet.ok) return wallet;
    const value = parseMinor(input.amount);
    const allowed = checkDebit(wallet.value, value);
    if (!allowed.ok) return allowed;
    const expiresAt = input.expiresAt === undefined ? undefined : new Date(input.expiresAt);
    if (expiresAt !== undefined && hasExpired(draft, { expiresAt })) {
      return refuse('hold_expired', 'The hold would already have expired');
    }
    const holdId = derivedId('hld', origin);
    const text = input.description === undefined ? {} : { description: input.description };
    draft.move({
      ...text,
      from: draft.system('clearing', input.currency),
      to: wallet.value,
      amount: value,
      balanceType: 'locked',
      holdId,
    });
    draft.putHold({
      ...text,
      _id: holdId,
      tenantId,
      operationId,
      userId: input.userId,
      currency: input.currency,
      amount: value,
      captured: 0n,
      released: 0n,
      status: 'open',
      ...(expiresAt !== undefined && { expiresAt }),
      createdAt: at,
      updatedAt: at,
    });
    draft.emit('hold.placed', holdEvent({ ...input, _id: holdId }, value));
    return ok(undefined);
  },
  describe: (_input, origin) => ({ holdId: derivedId('hld', origin) }),
});
