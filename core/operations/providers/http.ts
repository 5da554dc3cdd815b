import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type {
  PaymentLookup,
  PaymentProvider,
  PaymentReply,
  PaymentRequest,
} from '../../saga/services.ts';

/** Where a provider of the HTTP form is, and what opens its door. */
export interface HttpProviderOptions {
  readonly url: string;
  readonly token?: string;
}

const REPLY_BYTES_MAX = 65_536;

const replySchema = z.object({
  status: z.enum(['succeeded', 'declined']),
  reference: z.string().min(1).max(200).optional(),
  reason: z.string().max(500).optional(),
});

/**
 * Any provider that speaks the form of docs/sagas.md: `POST /v1/<kind>` with an `Idempotency-Key`,
 * `GET /v1/payments/<key>`, `POST /v1/voids`. `succeeded` and `declined` are answers; everything
 * else (5xx, a cut connection, nonsense) leaves the outcome unknown and is thrown.
 */
export function createHttpProvider(options: HttpProviderOptions): PaymentProvider {
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = {
      'content-type': 'application/json',
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(init.headers as Readonly<Record<string, string>> | undefined),
    };
    try {
      return await fetch(new URL(path, options.url), { ...init, headers, redirect: 'error' });
    } catch (cause) {
      throw new AppError('provider_unavailable', 'The provider did not answer', { cause });
    }
  };
  const pay = async (
    path: string,
    { key, ...body }: PaymentRequest,
    signal: AbortSignal,
  ): Promise<PaymentReply> => {
    const response = await send(path, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: JSON.stringify(body),
      signal,
    });
    return replyOf(response);
  };

  return Object.freeze({
    authorise: (request, signal) => pay('/v1/authorisations', request, signal),
    capture: (request, signal) => pay('/v1/captures', request, signal),
    payout: (request, signal) => pay('/v1/payouts', request, signal),
    void: async (key, signal) => {
      const body = JSON.stringify({ of: key });
      const response = await send('/v1/voids', { method: 'POST', body, signal });
      await readText(response);
      if (!response.ok) throw unknownOutcome(response.status);
    },
    find: async (key, signal): Promise<PaymentLookup> => {
      const path = `/v1/payments/${encodeURIComponent(key)}`;
      const response = await send(path, { method: 'GET', signal });
      if (response.status !== 404) return replyOf(response);
      await readText(response);
      return { kind: 'absent' };
    },
  } satisfies PaymentProvider);
}

/** Besides 2xx: declined, and that the key is voided. */
const ANSWERS: ReadonlySet<number> = new Set([402, 409]);

function asksForPatience(response: Response): AppError {
  const seconds = Number(response.headers.get('retry-after') ?? '1');
  return new AppError('provider_unavailable', 'The provider asks for patience', {
    retryAfterSeconds: Number.isFinite(seconds) ? Math.min(Math.max(1, seconds), 3_600) : 1,
  });
}

async function replyOf(response: Response): Promise<PaymentReply> {
  const text = await readText(response);
  if (response.status === 429) throw asksForPatience(response);
  if (!response.ok && !ANSWERS.has(response.status)) throw unknownOutcome(response.status);
  const parsed = replySchema.safeParse(parseJson(text));
  if (!parsed.success) throw unknownOutcome(response.status);
  const { status, reference, reason } = parsed.data;
  if (status === 'declined') {
    const failure = {
      code: 'payment_declined',
      detail: reason ?? 'The provider declined',
    } as const;
    return { kind: 'declined', failure };
  }
  if (reference === undefined) throw unknownOutcome(response.status);
  return { kind: 'done', reference };
}

/** Bounded, so that an endless answer cannot fill the memory. */
async function readText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > REPLY_BYTES_MAX) throw unknownOutcome(response.status);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('provider_unavailable', 'The answer was cut off', { cause });
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknownOutcome(status: number): AppError {
  return new AppError('provider_unavailable', `The provider answered ${status}`);
}
