/**
 * The one table of error codes. A code is stable: never renamed, never reused. `kind` decides the
 * HTTP status (api/http/problem.ts), `retry` the fate of a job (workers/disposition.ts).
 */
export type ErrorKind =
  | 'validation'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'wrong-method'
  | 'conflict'
  | 'rule'
  | 'too-large'
  | 'unsupported-media'
  | 'expectation'
  | 'limit'
  | 'unavailable'
  | 'internal';

/** `never`: the same request can only fail again. `backoff`: try again. `after`: at a given time. */
export type RetryClass = 'never' | 'backoff' | 'after';

interface ErrorSpec {
  readonly kind: ErrorKind;
  readonly retry: RetryClass;
  readonly title: string;
}

const rule = (title: string): ErrorSpec => ({ kind: 'rule', retry: 'never', title });
const invalid = (title: string): ErrorSpec => ({ kind: 'validation', retry: 'never', title });

export const ERRORS = {
  // Requests that are refused before anything is stored.
  invalid_request: invalid('The request does not fit the schema'),
  invalid_json: invalid('The body is not valid JSON'),
  invalid_encoding: invalid('The body is not valid UTF-8'),
  invalid_cursor: invalid('The cursor was not issued by this list'),
  invalid_header: invalid('A header has an invalid value'),
  idempotency_key_required: invalid('The Idempotency-Key header is required'),
  idempotency_key_invalid: invalid('The idempotency key is malformed'),
  unknown_operation_type: invalid('There is no operation of that type'),
  too_deep: invalid('The JSON is nested too deeply'),
  body_too_large: { kind: 'too-large', retry: 'never', title: 'The body is too large' },
  unsupported_media_type: {
    kind: 'unsupported-media',
    retry: 'never',
    title: 'The content type is not supported',
  },
  expectation_failed: {
    kind: 'expectation',
    retry: 'never',
    title: 'What the Expect header asks for cannot be met',
  },
  unauthenticated: { kind: 'unauthenticated', retry: 'never', title: 'A valid API key is needed' },
  forbidden: { kind: 'forbidden', retry: 'never', title: 'The API key lacks the scope' },
  tenant_suspended: { kind: 'forbidden', retry: 'never', title: 'The tenant is suspended' },
  tenant_closed: { kind: 'forbidden', retry: 'never', title: 'The tenant is closed' },
  identity_unavailable: {
    kind: 'unavailable',
    retry: 'backoff',
    title: 'The keys that tokens are checked with cannot be had',
  },
  route_not_found: { kind: 'not-found', retry: 'never', title: 'There is no such endpoint' },
  not_found: { kind: 'not-found', retry: 'never', title: 'There is no such resource' },
  tenant_not_found: { kind: 'not-found', retry: 'never', title: 'There is no such tenant' },
  method_not_allowed: {
    kind: 'wrong-method',
    retry: 'never',
    title: 'The endpoint does not have that method',
  },
  idempotency_conflict: {
    kind: 'conflict',
    retry: 'never',
    title: 'The idempotency key was used for another request',
  },
  not_cancelable: {
    kind: 'conflict',
    retry: 'never',
    title: 'The operation can no longer be canceled',
  },
  illegal_state: {
    kind: 'conflict',
    retry: 'never',
    title: 'The operation is not in a state that allows this',
  },
  version_conflict: {
    kind: 'conflict',
    retry: 'never',
    title: 'It has been changed meanwhile; look at it again',
  },
  invalid_setting: invalid('The settings would not make sense; nothing was changed'),
  invalid_pause: invalid('What is to be paused does not exist, or could not be'),
  limit_reached: {
    kind: 'conflict',
    retry: 'never',
    title: 'There are as many of these as there may be',
  },
  operation_open: {
    kind: 'conflict',
    retry: 'after',
    title: 'The operation is not settled yet',
  },
  rebuild_under_way: {
    kind: 'conflict',
    retry: 'after',
    title: 'The ledger is being rebuilt by another process',
  },
  proof_not_ready: {
    kind: 'conflict',
    retry: 'after',
    title: 'The entry is not sealed yet; it is about half a minute after it was written',
  },
  operation_busy: {
    kind: 'conflict',
    retry: 'after',
    title: 'Another worker is at work on the operation',
  },
  rate_limited: { kind: 'limit', retry: 'after', title: 'Too many requests' },
  backlog_full: {
    kind: 'unavailable',
    retry: 'after',
    title: 'Too much accepted work is waiting; try again later',
  },
  bodies_full: {
    kind: 'unavailable',
    retry: 'after',
    title: 'The requests under way are as large as this process can take',
  },
  streams_full: {
    kind: 'unavailable',
    retry: 'after',
    title: 'This process has as many streams and sockets as it may',
  },
  ledger_unavailable: {
    kind: 'unavailable',
    retry: 'backoff',
    title: 'The database did not answer; send the same request again, with the same key',
  },
  queue_unavailable: { kind: 'unavailable', retry: 'backoff', title: 'Redis cannot be reached' },
  shutting_down: { kind: 'unavailable', retry: 'after', title: 'This process is shutting down' },
  timeout: { kind: 'unavailable', retry: 'backoff', title: 'The work took too long' },

  // Business outcomes: the operation ends as `rejected` and nothing happened.
  user_exists: rule('The user already exists'),
  user_not_found: rule('The user does not exist'),
  user_blocked: rule('The user is blocked'),
  wallet_exists: rule('The user already has a wallet in that currency'),
  wallet_not_found: rule('The user has no wallet in that currency'),
  wallet_frozen: rule('The wallet is frozen'),
  wallet_closed: rule('The wallet is closed'),
  wallet_not_empty: rule('A wallet with a balance or open holds cannot be closed'),
  insufficient_funds: rule('The available balance is too small'),
  insufficient_bonus: rule('The bonus balance is too small'),
  overdraft_in_use: rule('The overdraft in use exceeds the new limit'),
  balance_limit: rule('The balance would exceed the largest one allowed'),
  transfer_not_found: rule('The transfer does not exist'),
  transfer_reversed: rule('The reversal exceeds what is left of the transfer'),
  hold_not_found: rule('The hold does not exist'),
  hold_not_open: rule('The hold is no longer open'),
  hold_exceeded: rule('The capture exceeds what is left of the hold'),
  hold_expired: rule('The hold has expired'),
  hold_managed: rule('The hold belongs to an operation of its own'),
  same_wallet: rule('Source and destination are the same wallet'),
  precondition_available: rule('The available balance is below the stated minimum'),
  precondition_seq: rule('The wallet has moved on from the stated sequence number'),
  batch_item_rejected: rule('An operation of the batch was refused, so none of it happened'),
  deadline_passed: rule('The deadline passed before the operation could run'),
  canceled: rule('Canceled on request'),
  payment_declined: rule('The payment provider declined'),
  risk_declined: rule('The withdrawal was refused by the risk check'),
  tenant_exists: rule('The tenant already exists'),
  key_exists: rule('The API key id is taken'),
  tenant_forbidden: rule('Only the default tenant sets up tenants'),
  provider_unknown: rule('There is no payment provider of that name'),

  // Ours.
  provider_unavailable: {
    kind: 'unavailable',
    retry: 'backoff',
    title: 'The payment provider did not give an answer',
  },
  provider_unreachable: {
    kind: 'unavailable',
    retry: 'backoff',
    title: 'The payment provider could not be reached; nothing was sent to it',
  },
  provider_throttled: {
    kind: 'unavailable',
    retry: 'after',
    title: 'The payment provider asks for patience',
  },
  provider_misunderstood: {
    kind: 'unavailable',
    retry: 'backoff',
    title: 'The payment provider does not take the request',
  },
  worker_unfit: {
    kind: 'unavailable',
    retry: 'after',
    title: 'This worker lacks what the step needs, and leaves the operation to others',
  },
  version_unknown: {
    kind: 'unavailable',
    retry: 'after',
    title: 'The operation is of a newer version than this process',
  },
  step_exhausted: {
    kind: 'internal',
    retry: 'never',
    title: 'A step failed more often than it may',
  },
  outcome_unknown: {
    kind: 'internal',
    retry: 'never',
    title: 'Whether a step took effect is unknown',
  },
  compensation_exhausted: {
    kind: 'internal',
    retry: 'never',
    title: 'A step could not be taken back',
  },
  fenced_out: { kind: 'conflict', retry: 'never', title: 'Another worker has taken over' },
  poison_operation: {
    kind: 'internal',
    retry: 'never',
    title: 'The operation fails for a reason that needs a human',
  },
  invariant_broken: { kind: 'internal', retry: 'never', title: 'An invariant does not hold' },
  internal: { kind: 'internal', retry: 'backoff', title: 'Internal error' },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** A JSON pointer (RFC 6901) into the request and what is wrong there. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
  /** Where it is, when that is not the body: then the pointer is `/<name of the parameter>`. */
  readonly in?: 'query' | 'path';
}

/** An expected failure as data: what pure rules return and what a rejected operation stores. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

interface ErrorOptionsExtra {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  readonly context?: Readonly<Record<string, unknown>>;
  /** For retry class `after`: seconds until a retry makes sense. */
  readonly retryAfterSeconds?: number;
}

/** The one error class that I/O code throws. A throw inside a transaction callback aborts it. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, extra: ErrorOptionsExtra = {}) {
    super(`${code}: ${detail}`, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.code = code;
    this.detail = detail;
    this.errors = extra.errors;
    this.context = extra.context;
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }

  get retry(): RetryClass {
    return ERRORS[this.code].retry;
  }
}

/** A bug or corrupted state: never retried, never compensated by itself, parked for a human. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly code = 'invariant_broken';
  readonly context: Readonly<Record<string, unknown>>;

  constructor(message: string, context: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.context = context;
  }
}

/** True when the code stands in the table (for codes read back from storage). */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
