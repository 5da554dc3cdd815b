import { z } from 'zod';
import { ok } from '../kernel/result.ts';
import type { PaymentLookup, PaymentReply, PaymentRequest } from '../operations/services.ts';
import {
  type LedgerStep,
  type QueryReply,
  type StepContext,
  type StepReply,
  type StepTools,
  done,
  refusedCall,
} from '../operations/step.ts';
import { amount, currency, description, userId } from '../operations/inputs.ts';

/** What the payment steps of deposits and withdrawals share. */
export const PAYMENT_STEP = {
  timeoutMs: 15_000,
  retry: { attemptsMax: 8, baseMs: 250, capMs: 60_000 },
  provider: (ctx: StepContext<PaymentInput>) => ctx.input.provider,
} as const;

const provider = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be the name of a payment provider')
  .default('sandbox')
  .meta({ description: 'the payment provider: `sandbox`, or `http` for the configured one' });

/** What deposits and withdrawals are asked for with. */
export const paymentInput = z.strictObject({
  userId,
  currency,
  amount,
  provider,
  /** A token of the provider's for the card or account. */
  instrument: z.string().min(1).max(200),
  description: description.exactOptional(),
});
export type PaymentInput = z.infer<typeof paymentInput>;

/** The last step, after the pivot: tells the world. */
export function notifyStep(
  event: 'deposit.settled' | 'withdrawal.settled',
): LedgerStep<PaymentInput> {
  return {
    name: 'notify',
    kind: 'ledger',
    touches: () => ({}),
    decide: (draft, ctx) => {
      const { userId: user, amount: value, currency: unit } = ctx.input;
      draft.emit(event, { userId: user, amount: value, currency: unit });
      return ok(undefined);
    },
    compensate: 'none-needed: it comes after the pivot',
  };
}

export function paymentOf(
  input: Pick<PaymentInput, 'amount' | 'currency' | 'instrument'>,
  key: string,
): PaymentRequest {
  const { amount, currency, instrument } = input;
  return { key, amount, currency, instrument };
}

export function replied(reply: PaymentReply): StepReply & QueryReply {
  return reply.kind === 'done' ? done({ reference: reply.reference }) : refusedCall(reply.failure);
}

/** What the provider knows of the call under the step's key. */
export async function lookedUp(name: string, tools: StepTools): Promise<QueryReply> {
  const found: PaymentLookup = await tools.services.payments
    .named(name)
    .find(tools.key, tools.signal);
  return found.kind === 'absent' ? { kind: 'absent' } : replied(found);
}
