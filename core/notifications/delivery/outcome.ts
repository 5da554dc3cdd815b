import { parseRetryAfter } from '../../kernel/retry-after.ts';
import type { SendOutcome } from '../ports.ts';
import type { HttpAnswer, HttpFailure } from '../../outbound/http-client.ts';
import type { RefusedUrl } from '../../outbound/url-guard.ts';

type Outcome<K extends SendOutcome['kind']> = Extract<SendOutcome, { readonly kind: K }>;

/** No answer: the provider is unwell. */
export function faultOf({ code, detail, mayHaveSent }: HttpFailure): Outcome<'fault'> {
  return { kind: 'fault', code, detail, mayHaveSent };
}

/** A server that fails may have done the work before. */
export function serverFault(answer: HttpAnswer, now: number): Outcome<'fault'> {
  return {
    kind: 'fault',
    ...httpReason(answer),
    // RFC 9110: 503 is said instead of the work, not after it.
    mayHaveSent: answer.status !== 503,
    ...retryAfterOf(answer, now),
  };
}

export function throttled(answer: HttpAnswer, now: number): Outcome<'throttled'> {
  return { kind: 'throttled', ...retryAfterOf(answer, now), status: answer.status };
}

export function permanent(answer: HttpAnswer, isGone = false): Outcome<'permanent'> {
  return { kind: 'permanent', ...httpReason(answer), ...(isGone && { isGone }) };
}

export function transient(answer: HttpAnswer): Outcome<'transient'> {
  return { kind: 'transient', ...httpReason(answer) };
}

/** Never sent: the URL was refused. A host may have another address at the next attempt. */
export function refused({ code, detail, isLasting }: RefusedUrl): SendOutcome {
  return { kind: isLasting ? 'permanent' : 'transient', code, detail };
}

/** What they wrote is not repeated: it may be shown to the tenant that chose the address. */
function httpReason({ status }: HttpAnswer): { code: string; detail: string; status: number } {
  return { code: `http_${String(status)}`, detail: `The answer was ${String(status)}`, status };
}

function retryAfterOf(
  { headers }: HttpAnswer,
  nowMs: number,
): { readonly retryAfterMs: number } | undefined {
  const retryAfterMs = parseRetryAfter(headers['retry-after'], { nowMs });
  return retryAfterMs === undefined ? undefined : { retryAfterMs };
}

/** Their JSON, or undefined when it is none. */
export function jsonOf({ text }: HttpAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
