import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { Draft, Movement } from '../ledger/book.ts';
import { checkOutgoing } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, description, fee, instant, userId } from '../operations/inputs.ts';
import { findWallet, pay, payFee } from './rules.ts';

export const walletDebit = defineOperation({
  type: 'wallet.debit',
  version: 1,
  mode: 'atomic',
  summary: 'Debits a wallet to the outside world',
  input: z.strictObject({
    userId,
    currency,
    amount,
    balanceType: z.enum(['real', 'bonus']).exactOptional(),
    fee: fee.exactOptional(),
    description: description.exactOptional(),
    effectiveAt: instant.exactOptional(),
  }),
  ordering: (input) => ({ user: input.userId }),
  mainWallet: (input) => input,
  touches: (input) => ({
    wallets: [input],
    systems: [
      { name: 'world', currency: input.currency },
      ...(input.fee === undefined ? [] : [{ name: 'fees' as const, currency: input.currency }]),
    ],
  }),
  decide: (draft, input) => {
    const wallet = findWallet(draft, input);
    if (!wallet.ok) return wallet;
    const effective =
      input.effectiveAt === undefined ? {} : { effectiveAt: new Date(input.effectiveAt) };
    const movement: Movement = {
      ...effective,
      from: wallet.value,
      to: draft.system('world', input.currency),
      amount: parseMinor(input.amount),
      balanceType: input.balanceType ?? 'real',
      ...(input.description !== undefined && { description: input.description }),
    };
    const paid =
      movement.balanceType === 'bonus' ? spendBonus(draft, movement) : pay(draft, movement);
    if (!paid.ok) return paid;
    const fee = payFee(draft, input, effective);
    return fee.ok ? ok(undefined) : fee;
  },
});

function spendBonus(draft: Draft, movement: Movement): Result<undefined> {
  const outgoing = checkOutgoing(movement.from);
  if (!outgoing.ok) return outgoing;
  if (movement.from.bonusBalance < movement.amount) {
    return refuse(
      'insufficient_bonus',
      `The bonus balance of ${movement.from.userId} is too small`,
    );
  }
  draft.move(movement);
  return ok(undefined);
}
