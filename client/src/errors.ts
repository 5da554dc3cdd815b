import type { ErrorCode } from './generated/error-codes.ts';

/** What the client itself reports; the other codes are those of the API's problem documents. */
export type ClientErrorCode =
  /** The connection was refused, reset or cut. */
  | 'network'
  /** No answer within `timeoutMs`. */
  | 'client_timeout'
  /** The caller's signal. */
  | 'aborted'
  /** An answer that no Sluice gives: HTML, broken JSON, a redirect. */
  | 'bad_response'
  | 'response_too_large'
  /** A status without a problem document: of a proxy or a balancer. */
  | 'http_error'
  /** Never sent: an argument that cannot be right. */
  | 'invalid_argument'
  /** Of a bulk call: never sent, because what stood before it, or the key store, has failed. */
  | 'not_sent';

/** Codes that a newer server may send are texts, too. */
export type SluiceErrorCode = ErrorCode | ClientErrorCode | (string & {});

/** One thing that is wrong with a request: where in the body (RFC 6901) or which parameter. */
export interface FieldError {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly in?: 'query' | 'path';
  readonly detail: string;
}

/** RFC 9457, with the members that Sluice adds. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: SluiceErrorCode;
  readonly retryable: boolean;
  readonly correlationId?: string;
  readonly operationId?: string;
  readonly errors?: readonly FieldError[];
}

export interface SluiceErrorOptions {
  readonly status?: number | undefined;
  readonly retryable?: boolean | undefined;
  readonly isOutcomeUnknown?: boolean | undefined;
  readonly correlationId?: string | undefined;
  readonly operationId?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly attempts?: number | undefined;
  readonly problem?: Problem | undefined;
  readonly cause?: unknown;
}

/** Everything that a call can fail with. */
export class SluiceError extends Error {
  override readonly name: string = 'SluiceError';
  /** Stable; compare this, never the message. */
  readonly code: SluiceErrorCode;
  /** Of the last answer; undefined when there was none. */
  readonly status: number | undefined;
  /** Whether the same request, under the same key, may succeed later. */
  readonly retryable: boolean;
  /** True when a write may or may not have had its effect. Repeat it under `idempotencyKey`. */
  readonly isOutcomeUnknown: boolean;
  readonly correlationId: string | undefined;
  readonly operationId: string | undefined;
  readonly errors: readonly FieldError[];
  /** How long the server asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Under which the write was sent. */
  readonly idempotencyKey: string | undefined;
  /** How many times the request was sent. */
  readonly attempts: number;
  /** The document that the server answered with. */
  readonly problem: Problem | undefined;

  constructor(code: SluiceErrorCode, message: string, options: SluiceErrorOptions = {}) {
    const { cause, problem } = options;
    super(message, cause === undefined ? undefined : { cause });
    const { status, retryAfterMs, idempotencyKey, ...known } = { ...problem, ...given(options) };
    this.code = code;
    this.status = status;
    this.retryable = known.retryable === true;
    this.isOutcomeUnknown = known.isOutcomeUnknown === true;
    this.correlationId = known.correlationId;
    this.operationId = known.operationId;
    this.errors = known.errors ?? [];
    this.retryAfterMs = retryAfterMs;
    this.idempotencyKey = idempotencyKey;
    this.attempts = known.attempts ?? 0;
    this.problem = problem;
  }
}

/** Without what is undefined, which must not hide what the problem document says. */
function given(options: SluiceErrorOptions): SluiceErrorOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The key was used before, for a request that differs: `errors` names the fields. */
export class IdempotencyConflictError extends SluiceError {
  override readonly name = 'IdempotencyConflictError';
  declare readonly code: 'idempotency_conflict';
}

export function errorOf(
  code: SluiceErrorCode,
  message: string,
  options: SluiceErrorOptions,
): SluiceError {
  return code === 'idempotency_conflict'
    ? new IdempotencyConflictError(code, message, options)
    : new SluiceError(code, message, options);
}

/** The same, of a write under that key. */
export function underKey(error: SluiceError, idempotencyKey: string): SluiceError {
  const { code, message, status, retryable, isOutcomeUnknown, retryAfterMs } = error;
  const { correlationId, operationId, attempts, errors, problem, cause } = error;
  return errorOf(code, message, {
    ...{ status, retryable, isOutcomeUnknown, retryAfterMs, idempotencyKey },
    ...{ correlationId, operationId, attempts, errors, problem, cause },
  });
}

export function invalidArgument(message: string): SluiceError {
  return new SluiceError('invalid_argument', message);
}

/** A problem document, or undefined when the body is none. Never throws. */
export function problemIn(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, status } = body as Partial<Problem>;
  return typeof code === 'string' && typeof status === 'number' ? (body as Problem) : undefined;
}
