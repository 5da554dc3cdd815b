import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { present } from '../kernel/assert.ts';
import { derivedId } from '../kernel/ids.ts';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import type { HoldDoc } from '../ledger/documents.ts';
import { unlock } from '../ledger/holds.ts';
import { checkDebit } from '../ledger/wallet.ts';
import { defineOperation } from '../operations/define.ts';
import { type TenantPolicy, textField } from '../operations/services.ts';
import {
  type StepContext,
  type StepReply,
  done,
  refusedCall,
  waitFor,
} from '../operations/step.ts';
import {
  PAYMENT_STEP,
  type PaymentInput,
  lookedUp,
  notifyStep,
  paymentInput,
  paymentOf,
  replied,
} from './payment-steps.ts';
import { findWallet } from './rules.ts';

/** The signal by which a person decides: `{ "approve": true | false }`. */
export const RISK_SIGNAL = 'risk-decision';
const riskDecision = z.strictObject({
  approve: z.boolean(),
  /** Why, for whoever reads the timeline. */
  note: z.string().max(LIMITS.noteCharsMax).exactOptional(),
});

const holdIdOf = (ctx: StepContext<PaymentInput>) => derivedId('hld', ctx.operationId);

function holdOf(draft: Draft, ctx: StepContext<PaymentInput>): HoldDoc {
  return present(draft.hold(holdIdOf(ctx)), 'the hold of a withdrawal');
}

function assess(policy: TenantPolicy | undefined, value: bigint): 'approve' | 'review' | 'decline' {
  const { review, decline } = policy?.withdrawalRisk ?? {};
  if (decline !== undefined && value > parseMinor(decline)) return 'decline';
  return review !== undefined && value > parseMinor(review) ? 'review' : 'approve';
}

/** What a person has decided, or undefined while nobody has. */
function decisionOf(ctx: StepContext<PaymentInput>): StepReply | undefined {
  const signal = ctx.signals[RISK_SIGNAL];
  const decision = riskDecision.safeParse(signal?.data);
  if (signal === undefined || !decision.success) return undefined;
  const { by } = signal;
  return decision.data.approve
    ? done({ decision: 'approved', by })
    : refusedCall({ code: 'risk_declined', detail: `Refused by ${by}` });
}

/**
 * Money goes out. Until the payout the hold can be released; the payout is the point of no return,
 * and the hold is captured after it.
 */
export const withdrawal = defineOperation({
  type: 'withdrawal',
  version: 1,
  mode: 'stepwise',
  movesMoney: true,
  example: (name) => ({ userId: name, currency: 'EUR', amount: '900', instrument: 'account' }),
  summary: 'Pays money of a wallet out through a payment provider, after a risk check',
  input: paymentInput,
  signals: { [RISK_SIGNAL]: riskDecision },
  ordering: (withdrawn) => ({ user: withdrawn.userId }),
  steps: [
    {
      name: 'hold',
      kind: 'ledger',
      touches: (ctx) => ({
        wallets: [ctx.input],
        systems: [{ name: 'clearing', currency: ctx.input.currency }],
      }),
      decide: (draft, ctx) => {
        const wallet = findWallet(draft, ctx.input);
        if (!wallet.ok) return wallet;
        const value = parseMinor(ctx.input.amount);
        const allowed = checkDebit(wallet.value, value);
        if (!allowed.ok) return allowed;
        const { tenantId, operationId, at } = draft.scope;
        draft.move({
          from: draft.system('clearing', ctx.input.currency),
          to: wallet.value,
          amount: value,
          balanceType: 'locked',
          holdId: holdIdOf(ctx),
        });
        draft.putHold({
          _id: holdIdOf(ctx),
          tenantId,
          operationId,
          userId: ctx.input.userId,
          currency: ctx.input.currency,
          amount: value,
          captured: 0n,
          released: 0n,
          status: 'open',
          managedBy: 'withdrawal',
          createdAt: at,
          updatedAt: at,
        });
        return ok({ holdId: holdIdOf(ctx) });
      },
      compensate: {
        touches: (ctx) => ({ holds: [holdIdOf(ctx)] }),
        decide: (draft, ctx) => {
          const hold = holdOf(draft, ctx);
          if (hold.status !== 'open') return ok(undefined);
          const wallet = findWallet(draft, hold);
          if (!wallet.ok) return wallet;
          unlock(draft, { hold, wallet: wallet.value, value: hold.amount });
          draft.putHold({
            ...hold,
            released: hold.amount,
            status: 'released',
            updatedAt: draft.scope.at,
          });
          return ok(undefined);
        },
      },
    },
    {
      name: 'risk-check',
      kind: 'call',
      onlyLooks: true,
      redo: 'safe',
      timeoutMs: 10_000,
      retry: { attemptsMax: 8, baseMs: 200, capMs: 30_000 },
      run: async (ctx, { services }) => {
        // The rule first: nobody's word lifts an amount above the limit.
        const policy = await services.policies.find(ctx.tenantId, ctx.input.currency);
        const assessed = assess(policy, parseMinor(ctx.input.amount));
        if (assessed === 'decline') {
          return refusedCall({ code: 'risk_declined', detail: 'Above the limit of the tenant' });
        }
        const decided = decisionOf(ctx);
        if (decided !== undefined) return decided;
        if (ctx.hasWaitExpired) {
          return refusedCall({ code: 'risk_declined', detail: 'Nobody decided in time' });
        }
        return assessed === 'approve'
          ? done({ decision: 'approved', by: 'rule' })
          : waitFor(RISK_SIGNAL, LIMITS.riskReviewMs);
      },
      compensate: 'none-needed: it only decides',
    },
    {
      ...PAYMENT_STEP,
      name: 'payout',
      kind: 'call',
      isPivot: true,
      redo: 'query',
      run: async (ctx, tools) => {
        const request = paymentOf(ctx.input, tools.key);
        const { payments } = tools.services;
        return replied(await payments.named(ctx.input.provider).payout(request, tools.signal));
      },
      query: (ctx, tools) => lookedUp(ctx.input.provider, tools),
      // Runs only for a payout that the provider has never seen: it shuts the door behind it.
      compensate: {
        run: async (ctx, tools) => {
          const { payments } = tools.services;
          await payments.named(ctx.input.provider).void(tools.key, tools.signal);
        },
      },
    },
    {
      name: 'capture',
      kind: 'ledger',
      touches: (ctx) => ({
        holds: [holdIdOf(ctx)],
        systems: [
          { name: 'clearing', currency: ctx.input.currency },
          { name: 'world', currency: ctx.input.currency },
        ],
      }),
      decide: (draft, ctx) => {
        const hold = holdOf(draft, ctx);
        if (hold.status !== 'open') {
          return refuse('hold_not_open', `The hold of the withdrawal is ${hold.status}`);
        }
        const wallet = findWallet(draft, hold);
        if (!wallet.ok) return wallet;
        // The money has left: whether the wallet is frozen by now makes no difference.
        unlock(draft, { hold, wallet: wallet.value, value: hold.amount });
        draft.move({
          from: wallet.value,
          to: draft.system('world', hold.currency),
          amount: hold.amount,
          balanceType: 'real',
          holdId: hold._id,
          description: ctx.input.description ?? 'withdrawal',
        });
        draft.putHold({
          ...hold,
          captured: hold.amount,
          status: 'captured',
          updatedAt: draft.scope.at,
        });
        return ok({ amount: formatMinor(hold.amount) });
      },
      compensate: 'none-needed: it comes after the pivot',
    },
    notifyStep('withdrawal.settled'),
  ],
  result: ({ results }) => {
    const reference = textField(results['payout'], 'reference');
    return reference === undefined ? undefined : { reference };
  },
});
