import { z } from 'zod';
import type { PaymentLookup, PaymentReply, PaymentRequest } from '../saga/services.ts';
import {
  type QueryReply,
  type StepReply,
  type StepTools,
  done,
  refusedCall,
} from '../saga/step.ts';

/** What the payment steps of deposits and withdrawals share. */
export const PAYMENT_STEP = {
  timeoutMs: 15_000,
  retry: { attemptsMax: 8, baseMs: 250, capMs: 60_000 },
} as const;

export const provider = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be the name of a payment provider')
  .default('sandbox')
  .meta({ description: 'the payment provider: `sandbox`, or `http` for the configured one' });

interface Payment {
  readonly amount: string;
  readonly currency: string;
  readonly instrument: string;
}

export function paymentOf(input: Payment, key: string): PaymentRequest {
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
