import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import { ok } from '../kernel/result.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, description, fee, instant, userId } from '../operations/inputs.ts';
import { checkIncoming, findWallet, payFee } from './rules.ts';

export const walletCredit = defineOperation({
  type: 'wallet.credit',
  version: 1,
  mode: 'atomic',
  summary: 'Credits a wallet from the outside world',
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
    const value = parseMinor(input.amount);
    const incoming = checkIncoming(wallet.value, value);
    if (!incoming.ok) return incoming;
    const effective =
      input.effectiveAt === undefined ? {} : { effectiveAt: new Date(input.effectiveAt) };
    draft.move({
      ...effective,
      from: draft.system('world', input.currency),
      to: wallet.value,
      amount: value,
      balanceType: input.balanceType ?? 'real',
      ...(input.description !== undefined && { description: input.description }),
    });
    const fee = payFee(draft, input, effective);
    return fee.ok ? ok(undefined) : fee;
  },
});
