import { z } from 'zod';
import { parseMinor } from '../../core/kernel/money.ts';
import { ok } from '../../core/kernel/result.ts';
import { amount, currency, userId } from '../../core/operations/inputs.ts';
import { paymentOf, replied } from '../../core/operation-types/payment-steps.ts';
import { findWallet, pay } from '../../core/operation-types/rules.ts';
import { type StepwiseDefinition, defineOperation } from '../../core/operations/define.ts';
import type { CallStep, LedgerStep } from '../../core/operations/step.ts';

const input = z.strictObject({ userId, currency, amount, instrument: z.string() });
export type Gift = z.infer<typeof input>;

const systems = ({ input: { currency: unit } }: { readonly input: Gift }) => [
  { name: 'clearing' as const, currency: unit },
  { name: 'world' as const, currency: unit },
];

/** The price is set aside, and can be given back. */
export const reserve: LedgerStep<Gift> = {
  name: 'reserve',
  kind: 'ledger',
  touches: (ctx) => ({ wallets: [ctx.input], systems: systems(ctx) }),
  decide: (draft, ctx) => {
    const wallet = findWallet(draft, ctx.input);
    if (!wallet.ok) return wallet;
    const to = draft.system('clearing', ctx.input.currency);
    const value = parseMinor(ctx.input.amount);
    return pay(draft, { from: wallet.value, to, amount: value, balanceType: 'real' });
  },
  compensate: {
    touches: (ctx) => ({ wallets: [ctx.input], systems: systems(ctx) }),
    decide: (draft, ctx) => {
      const wallet = findWallet(draft, ctx.input);
      if (!wallet.ok) return wallet;
      const from = draft.system('clearing', ctx.input.currency);
      const value = parseMinor(ctx.input.amount);
      draft.move({ from, to: wallet.value, amount: value, balanceType: 'real' });
      return ok(undefined);
    },
  },
};

/** The shop is asked for the gift; it can be sent back. */
export const order: CallStep<Gift> = {
  name: 'order',
  kind: 'call',
  redo: 'safe',
  timeoutMs: 10_000,
  retry: { attemptsMax: 5, baseMs: 20, capMs: 100 },
  run: async (ctx, { key, signal, services }) => {
    const shop = services.payments.named('sandbox');
    return replied(await shop.authorise(paymentOf(ctx.input, key), signal));
  },
  compensate: {
    run: async (_ctx, { key, signal, services }) =>
      services.payments.named('sandbox').void(key, signal),
  },
};

/** The shop is paid; nothing takes that back. */
export const settle: LedgerStep<Gift> = {
  name: 'settle',
  kind: 'ledger',
  touches: (ctx) => ({ systems: systems(ctx) }),
  decide: (draft, ctx) => {
    const from = draft.system('clearing', ctx.input.currency);
    const to = draft.system('world', ctx.input.currency);
    draft.move({ from, to, amount: parseMinor(ctx.input.amount), balanceType: 'real' });
    return ok(undefined);
  },
  compensate: 'none-needed: it is the last step',
};

/** A saga without a stated point of no return, of some steps. */
export function giftOf(
  type: string,
  steps: readonly (CallStep<Gift> | LedgerStep<Gift>)[],
): StepwiseDefinition {
  return defineOperation<Gift>({
    type,
    version: 1,
    mode: 'stepwise',
    summary: 'for tests',
    input,
    ordering: (gift) => ({ user: gift.userId }),
    steps,
    result: ({ results }) => ({ ordered: results['order'] !== undefined }),
  });
}
