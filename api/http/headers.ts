import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { isStreamPosition } from '../../core/kernel/stream-position.ts';
import { checkIdempotencyKey } from '../../core/ingest/idempotency-key.ts';

/**
 * The version of `If-Match: "3"`, or undefined when there is none, or `*`.
 *
 * @throws AppError `invalid_header`
 */
export function ifMatchOf(request: IncomingMessage): number | undefined {
  const value = request.headers['if-match'];
  if (value === undefined || value === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(value)?.[1];
  if (version === undefined) {
    throw new AppError('invalid_header', 'If-Match must be an ETag of this resource, as "3"');
  }
  return Number(version);
}

const CORRELATION_ID = /^[A-Za-z0-9._:/+=@~-]+$/;

/**
 * The caller's `X-Correlation-Id`, or undefined when there is none.
 *
 * @throws AppError `invalid_header`: it is echoed, logged and stored, so it has to be harmless.
 */
export function correlationIdOf(request: IncomingMessage): string | undefined {
  const value = request.headers['x-correlation-id'];
  if (value === undefined || value === '') return undefined;
  const max = LIMITS.correlationIdCharsMax;
  if (typeof value !== 'string' || value.length > max || !CORRELATION_ID.test(value)) {
    const detail = `X-Correlation-Id must be 1 to ${max} letters, digits and . _ : / + = @ ~ -`;
    throw new AppError('invalid_header', detail);
  }
  return value;
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The W3C trace context, or undefined: one that is malformed is ignored, as the standard says. */
export function traceparentOf(request: IncomingMessage): string | undefined {
  const value = request.headers['traceparent'];
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
}

/**
 * The `Idempotency-Key`; `"abc"` and `abc` are the same key.
 *
 * @throws AppError `idempotency_key_required` or `idempotency_key_invalid`.
 */
export function idempotencyKeyOf(request: IncomingMessage): string {
  const value = request.headers['idempotency-key'];
  // Two such headers arrive joined by a comma.
  const isDoubled =
    typeof value === 'string' && value.includes(', ') && countOf(request, 'idempotency-key') > 1;
  if (isDoubled) throw new AppError('idempotency_key_invalid', 'The header is there twice');
  const key = checkIdempotencyKey(value);
  if (!key.ok) throw new AppError(key.failure.code, key.failure.detail);
  return key.value;
}

function countOf(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name)
    .length;
}

/** What the client would like (RFC 7240). Unknown and malformed preferences are ignored. */
export interface Preferences {
  /** Seconds to wait for the outcome, capped; 0: answer at once. */
  readonly waitSeconds: number;
  /** Ids and statuses only, instead of whole documents. */
  readonly isMinimal: boolean;
}

const NO_PREFERENCES: Preferences = { waitSeconds: 0, isMinimal: false };

export function preferencesOf(request: IncomingMessage): Preferences {
  const value = request.headers['prefer'];
  if (value === undefined) return NO_PREFERENCES;
  const text = Array.isArray(value) ? value.join(',') : value;
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(text)?.[1];
  const isMinimal = /(?:^|[,;\s])return\s*=\s*"?minimal"?\s*(?:$|[,;])/i.test(text);
  const seconds = wait === undefined ? 0 : Number.parseInt(wait, 10);
  return { waitSeconds: Math.min(seconds, LIMITS.preferWaitSecondsMax), isMinimal };
}

/** The `Last-Event-ID` with which a client resumes a stream; an empty one is none. */
export function lastEventIdOf(request: IncomingMessage): string | undefined {
  const value = request.headers['last-event-id'];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !isStreamPosition(value)) {
    throw new AppError('invalid_header', 'Last-Event-ID must be the id of an event of a stream');
  }
  return value;
}

const BEARER = /^Bearer +(\S+)$/i;

/** The key of `Authorization: Bearer slk_…`, or undefined when the header is not of that form. */
export function bearerOf(request: IncomingMessage): string | undefined {
  const value = request.headers.authorization;
  return value === undefined ? undefined : BEARER.exec(value)?.[1];
}
