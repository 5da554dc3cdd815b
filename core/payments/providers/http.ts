import { z } from 'zod';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { parseRetryAfter } from '../../kernel/retry-after.ts';
import { LIMITS } from '../../../config/limits.ts';
import { startDeadline } from '../../outbound/deadline.ts';
import {
  type HttpAnswer,
  type AskingHttpClient,
  type HttpReply,
  createHttpClient,
} from '../../outbound/http-client.ts';
import type {
  PaymentLookup,
  PaymentProvider,
  PaymentReply,
  PaymentRequest,
} from '../../operations/services.ts';

/** Where a provider of the HTTP form is, and what opens its door. */
export interface HttpProviderOptions {
  readonly url: string;
  readonly token?: string;
}

export interface HttpProviderDeps {
  readonly http?: AskingHttpClient;
  readonly clock?: Pick<Clock, 'now'>;
  /** A call that has not been answered by then has failed, though its step may have more time. */
  readonly attemptMs?: number;
}

const replySchema = z.object({
  status: z.enum(['succeeded', 'declined']),
  reference: z.string().min(1).max(200).optional(),
  reason: z.string().max(500).optional(),
});

/** Besides 2xx: declined, and that the key is voided. */
const ANSWERS: ReadonlySet<number> = new Set([402, 409]);

/**
 * Of 4xx: what an operator or time will mend (our credentials, the address, the load). Every other
 * one is about the request, which stays the same however often it is sent.
 */
const MENDED: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 421, 425, 429]);

/**
 * Any provider that speaks the form of docs/sagas.md: `POST /v1/<kind>` with an `Idempotency-Key`,
 * `GET /v1/payments/<key>`, `POST /v1/voids`. `succeeded` and `declined` are answers; everything
 * else (5xx, a cut connection, nonsense) leaves the outcome unknown and is thrown.
 */
export function createHttpProvider(
  { url, token }: HttpProviderOptions,
  deps: HttpProviderDeps = {},
): PaymentProvider {
  const { http = createHttpClient({ keepAlive: true }), clock = systemClock } = deps;
  const { attemptMs = LIMITS.providerAttemptMs } = deps;
  const shared = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const within = async (
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<HttpReply>,
  ): Promise<HttpAnswer> => {
    const deadline = startDeadline(signal, attemptMs);
    try {
      const reply = await ask(deadline.signal);
      if (reply.kind === 'answered') return reply;
      const code = reply.mayHaveSent ? 'provider_unavailable' : 'provider_unreachable';
      throw new AppError(code, `The provider did not answer: ${reply.detail}`);
    } finally {
      deadline.release();
    }
  };
  const post = (path: string, body: object, call: { key?: string; signal: AbortSignal }) =>
    within(call.signal, (signal) => {
      const headers = { ...shared, ...(call.key !== undefined && { 'idempotency-key': call.key }) };
      return http.post({ url: new URL(path, url), headers, body: JSON.stringify(body), signal });
    });
  const pay = async (
    path: string,
    { key, ...body }: PaymentRequest,
    signal: AbortSignal,
  ): Promise<PaymentReply> => replyOf(await post(path, body, { key, signal }), clock.now());

  return Object.freeze({
    authorise: (request, signal) => pay('/v1/authorisations', request, signal),
    capture: (request, signal) => pay('/v1/captures', request, signal),
    payout: (request, signal) => pay('/v1/payouts', request, signal),
    void: async (key, signal) => {
      const answer = await post('/v1/voids', { of: key }, { signal });
      if (!isOk(answer)) throw failureOf(answer, clock.now());
    },
    find: async (key, signal): Promise<PaymentLookup> => {
      const path = `/v1/payments/${encodeURIComponent(key)}`;
      const answer = await within(signal, (bounded) =>
        http.get({ url: new URL(path, url), headers: shared, signal: bounded }),
      );
      return answer.status === 404 ? { kind: 'absent' } : replyOf(answer, clock.now());
    },
  } satisfies PaymentProvider);
}

function isOk({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

function replyOf(answer: HttpAnswer, nowMs: number): PaymentReply {
  if (!isOk(answer) && !ANSWERS.has(answer.status)) throw failureOf(answer, nowMs);
  const parsed = replySchema.safeParse(parseJson(answer.text));
  if (!parsed.success) throw failureOf(answer, nowMs);
  const { status, reference, reason } = parsed.data;
  if (status === 'declined') {
    const failure = {
      code: 'payment_declined',
      detail: reason ?? 'The provider declined',
    } as const;
    return { kind: 'declined', failure };
  }
  if (reference === undefined) throw failureOf(answer, nowMs);
  return { kind: 'done', reference };
}

function failureOf({ status, headers }: HttpAnswer, nowMs: number): AppError {
  const asked =
    status === 429 || status === 503
      ? parseRetryAfter(headers['retry-after'], { nowMs, maxMs: LIMITS.paymentWaitMsMax })
      : undefined;
  const wait = asked === undefined ? {} : { retryAfterSeconds: asked / 1_000 };
  if (status === 429) {
    return new AppError('provider_throttled', 'The provider asks for patience', wait);
  }
  const isOurs = status >= 400 && status < 500 && !ANSWERS.has(status) && !MENDED.has(status);
  const code = isOurs ? 'provider_misunderstood' : 'provider_unavailable';
  return new AppError(code, `The provider answered ${status}`, wait);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
