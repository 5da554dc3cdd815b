import { present } from '../kernel/assert.ts';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { ok } from '../kernel/result.ts';
import { defineOperation } from '../operations/define.ts';
import { textField } from '../operations/services.ts';
import { type StepContext, done } from '../operations/step.ts';
import {
  PAYMENT_STEP,
  type PaymentInput,
  lookedUp,
  notifyStep,
  paymentInput,
  paymentOf,
  replied,
} from './payment-steps.ts';
import { checkIncoming, findWallet, pay } from './rules.ts';

const keyOf = (ctx: StepContext<PaymentInput>, step: string): string =>
  `${ctx.operationId}.${step}`;

/** Basis points of the deposit, rounded down, up to the rule's maximum. Pure. */
function bonusAmount(
  deposited: bigint,
  rule: { readonly basisPoints: number; readonly max: string; readonly min?: string },
): bigint {
  if (rule.min !== undefined && deposited < parseMinor(rule.min)) return 0n;
  const bonus = (deposited * BigInt(rule.basisPoints)) / 10_000n;
  const max = parseMinor(rule.max);
  return bonus < max ? bonus : max;
}

/**
 * Money comes in. Before the capture everything can be taken back (the authorisation is voided);
 * from the capture on, the money is ours to credit, so it goes only forward.
 */
export const deposit = defineOperation({
  type: 'deposit',
  version: 1,
  mode: 'stepwise',
  movesMoney: true,
  example: (name) => ({ userId: name, currency: 'EUR', amount: '2500', instrument: 'card' }),
  summary: 'Takes money from outside through a payment provider and credits it to a wallet',
  input: paymentInput,
  ordering: (deposited) => ({ user: deposited.userId }),
  steps: [
    {
      name: 'check',
      kind: 'ledger',
      touches: (ctx) => ({ wallets: [ctx.input] }),
      decide: (draft, ctx) => {
        const wallet = findWallet(draft, ctx.input);
        if (!wallet.ok) return wallet;
        const incoming = checkIncoming(wallet.value, parseMinor(ctx.input.amount));
        return incoming.ok ? ok(undefined) : incoming;
      },
      compensate: 'none-needed: it only looks',
    },
    {
      ...PAYMENT_STEP,
      name: 'authorise',
      kind: 'call',
      redo: 'safe',
      run: async (ctx, tools) => {
        const request = paymentOf(ctx.input, tools.key);
        const { payments } = tools.services;
        return replied(await payments.named(ctx.input.provider).authorise(request, tools.signal));
      },
      compensate: {
        run: async (ctx, tools) => {
          const { payments } = tools.services;
          await payments.named(ctx.input.provider).void(tools.key, tools.signal);
        },
      },
    },
    {
      ...PAYMENT_STEP,
      name: 'capture',
      kind: 'call',
      isPivot: true,
      redo: 'query',
      run: async (ctx, tools) => {
        const request = { ...paymentOf(ctx.input, tools.key), of: keyOf(ctx, 'authorise') };
        const { payments } = tools.services;
        return replied(await payments.named(ctx.input.provider).capture(request, tools.signal));
      },
      query: (ctx, tools) => lookedUp(ctx.input.provider, tools),
      compensate: {
        run: async (ctx, tools) => {
          const { payments } = tools.services;
          await payments.named(ctx.input.provider).void(tools.key, tools.signal);
        },
      },
    },
    {
      name: 'credit',
      kind: 'ledger',
      touches: (ctx) => ({
        wallets: [ctx.input],
        systems: [{ name: 'world', currency: ctx.input.currency }],
      }),
      decide: (draft, ctx) => {
        const wallet = findWallet(draft, ctx.input);
        if (!wallet.ok) return wallet;
        return pay(draft, {
          from: draft.system('world', ctx.input.currency),
          to: wallet.value,
          amount: parseMinor(ctx.input.amount),
          balanceType: 'real',
          description: ctx.input.description ?? 'deposit',
        });
      },
      compensate: 'none-needed: it comes after the pivot',
    },
    {
      name: 'bonus-rule',
      kind: 'call',
      onlyLooks: true,
      redo: 'safe',
      timeoutMs: 10_000,
      retry: { attemptsMax: 20, baseMs: 200, capMs: 30_000 },
      run: async (ctx, { services }) => {
        const { tenantId } = ctx;
        const policy = await services.policies.find(tenantId, ctx.input.currency);
        const rule = policy?.depositBonus;
        if (rule === undefined) return done({ amount: '0' });
        return done({ amount: formatMinor(bonusAmount(parseMinor(ctx.input.amount), rule)) });
      },
      compensate: 'none-needed: it only looks',
    },
    {
      name: 'bonus',
      kind: 'ledger',
      touches: (ctx) => ({
        wallets: [ctx.input],
        systems: [{ name: 'bonus-pool', currency: ctx.input.currency }],
      }),
      decide: (draft, ctx) => {
        const text = textField(ctx.results['bonus-rule'], 'amount');
        const bonus = parseMinor(present(text, 'the bonus that the rule gave'));
        if (bonus === 0n) return ok(undefined);
        const wallet = findWallet(draft, ctx.input);
        if (!wallet.ok) return wallet;
        // A wallet that is full or closed meanwhile goes without: the deposit itself stands.
        if (!checkIncoming(wallet.value, bonus).ok) return ok(undefined);
        draft.move({
          from: draft.system('bonus-pool', ctx.input.currency),
          to: wallet.value,
          amount: bonus,
          balanceType: 'bonus',
          description: 'deposit bonus',
        });
        return ok({ amount: formatMinor(bonus) });
      },
      compensate: 'none-needed: it comes after the pivot',
    },
    notifyStep('deposit.settled'),
  ],
  result: ({ results }) => {
    const reference = textField(results['capture'], 'reference');
    const bonus = textField(results['bonus'], 'amount');
    return {
      ...(reference !== undefined && { reference }),
      ...(bonus !== undefined && { bonus }),
    };
  },
});
