import { z } from 'zod';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import { checkOutgoing } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, userId } from '../operations/inputs.ts';
import { checkIncoming, findWallet } from './rules.ts';

export const bonusConvert = defineOperation({
  type: 'bonus.convert',
  version: 1,
  mode: 'atomic',
  summary: 'Turns bonus money, all of it or a part, into real money',
  input: z.strictObject({ userId, currency, amount: amount.exactOptional() }),
  ordering: (input) => ({ user: input.userId }),
  mainWallet: (input) => input,
  touches: (input) => ({
    wallets: [input],
    systems: [{ name: 'bonus-pool', currency: input.currency }],
  }),
  decide: (draft, input) => {
    const found = findWallet(draft, input);
    if (!found.ok) return found;
    const wallet = found.value;
    const value = input.amount === undefined ? wallet.bonusBalance : parseMinor(input.amount);
    if (value === 0n || wallet.bonusBalance < value) {
      return refuse(
        'insufficient_bonus',
        `${formatMinor(wallet.bonusBalance)} ${wallet.currency} of bonus money is there`,
      );
    }
    const outgoing = checkOutgoing(wallet);
    if (!outgoing.ok) return outgoing;
    const incoming = checkIncoming(wallet, value);
    if (!incoming.ok) return incoming;
    const description = 'bonus conversion';
    draft.move({
      from: wallet,
      to: draft.system('bonus-pool', input.currency),
      amount: value,
      balanceType: 'bonus',
      description,
    });
    draft.move({
      from: draft.system('bonus-pool', input.currency),
      to: wallet,
      amount: value,
      balanceType: 'real',
      description,
    });
    return ok({ amount: formatMinor(value) });
  },
});
