import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import { ok } from '../kernel/result.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, description, userId } from '../operations/inputs.ts';
import { checkIncoming, findWallet } from './rules.ts';

export const bonusAward = defineOperation({
  type: 'bonus.award',
  version: 1,
  mode: 'atomic',
  summary: 'Awards bonus money from the bonus pool; it cannot be spent before it is converted',
  input: z.strictObject({ userId, currency, amount, description: description.exactOptional() }),
  ordering: (input) => ({ user: input.userId }),
  mainWallet: (input) => input,
  touches: (input) => ({
    wallets: [input],
    systems: [{ name: 'bonus-pool', currency: input.currency }],
  }),
  decide: (draft, input) => {
    const wallet = findWallet(draft, input);
    if (!wallet.ok) return wallet;
    const value = parseMinor(input.amount);
    const incoming = checkIncoming(wallet.value, value);
    if (!incoming.ok) return incoming;
    draft.move({
      from: draft.system('bonus-pool', input.currency),
      to: wallet.value,
      amount: value,
      balanceType: 'bonus',
      description: input.description ?? 'bonus',
    });
    draft.emit('bonus.awarded', {
      userId: input.userId,
      currency: input.currency,
      amount: input.amount,
    });
    return ok(undefined);
  },
});
