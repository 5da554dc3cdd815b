import { LIMITS } from '../../config/limits.ts';
import { toAppError } from '../../core/infra/database-errors.ts';
import {
  AppError,
  ERRORS,
  type ErrorCode,
  type ErrorKind,
  type FieldError,
  InvariantError,
} from '../../core/kernel/errors.ts';
import { FIELD_ERRORS_MAX } from '../../core/kernel/field-errors.ts';

/** What went wrong, as RFC 9457 puts it, with our own members after the standard ones. */
export interface Problem {
  /** Where the code is explained; stable, so that clients may compare it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: ErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly correlationId?: string;
  readonly operationId?: string;
  readonly errors?: readonly ProblemError[];
}

/** A JSON pointer (RFC 6901) into the body, or a parameter and where that stands. */
type ProblemError =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly in: 'query' | 'path'; readonly detail: string };

export const PROBLEM_TYPE = 'application/problem+json';

const STATUS = {
  validation: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'wrong-method': 405,
  conflict: 409,
  'too-large': 413,
  'unsupported-media': 415,
  expectation: 417,
  rule: 422,
  limit: 429,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>;

export function statusOfCode(code: ErrorCode): number {
  return STATUS[ERRORS[code].kind];
}

export interface ProblemContext {
  readonly instance?: string;
  readonly correlationId?: string;
  readonly operationId?: string;
}

interface Described {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[] | undefined;
}

/**
 * The problem document of an error or of a refusal that an operation has stored. What it quotes of
 * the request is cut, so that an answer is not as large as what was sent.
 */
export function problemOf({ code, detail, errors }: Described, context: ProblemContext): Problem {
  const { title, retry } = ERRORS[code];
  return {
    type: `/problems/${code}`,
    title,
    status: statusOfCode(code),
    detail: cut(detail, LIMITS.problemTextCharsMax),
    ...(context.instance !== undefined && { instance: context.instance }),
    code,
    retryable: retry !== 'never',
    ...(context.correlationId !== undefined && { correlationId: context.correlationId }),
    ...(context.operationId !== undefined && { operationId: context.operationId }),
    ...(errors !== undefined && errors.length > 0 && { errors: told(errors) }),
  };
}

/** Without the list of what is wrong: the first of it stands in the detail. */
export function briefProblem({ errors: _errors, ...problem }: Problem): Problem {
  return { ...problem, detail: cut(problem.detail, LIMITS.problemPointerCharsMax) };
}

function told(errors: readonly FieldError[]): readonly ProblemError[] {
  return errors.slice(0, FIELD_ERRORS_MAX).map((error) => {
    const detail = cut(error.detail, LIMITS.problemTextCharsMax);
    const pointer = cut(error.pointer, LIMITS.problemPointerCharsMax);
    return error.in === undefined
      ? { pointer, detail }
      : { parameter: pointer.slice(1), in: error.in, detail };
  });
}

/** Not through a surrogate pair. */
function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Whatever was thrown, as the error that the client may know of. Never throws. */
export function clientErrorOf(error: unknown): AppError {
  if (error instanceof InvariantError) {
    return new AppError('internal', 'Something went wrong on our side', { cause: error });
  }
  return toAppError(error);
}

const RETRY_AFTER_SECONDS = 1;

/**
 * `Retry-After` on 429 and 503, and on a 409 that passes, `WWW-Authenticate` on 401 and 403, `Allow` on
 * 405.
 */
export function problemHeaders(error: AppError): Readonly<Record<string, string>> {
  return HEADERS[error.kind]?.(error) ?? {};
}

type HeadersOf = (error: AppError) => Readonly<Record<string, string>>;

const retryAfter: HeadersOf = ({ retryAfterSeconds = RETRY_AFTER_SECONDS }) => ({
  'Retry-After': String(retryAfterSeconds),
});

const HEADERS: Partial<Record<ErrorKind, HeadersOf>> = {
  limit: retryAfter,
  unavailable: retryAfter,
  conflict: ({ retryAfterSeconds }) =>
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
  // RFC 6750, 3.1: who has sent nothing is told no error.
  unauthenticated: ({ context }) => ({
    'WWW-Authenticate': challenge(
      context?.['isMissing'] === true ? {} : { error: 'invalid_token' },
    ),
  }),
  // Another scope would not help where the tenant is shut.
  forbidden: ({ code, context }) =>
    code === 'forbidden'
      ? {
          'WWW-Authenticate': challenge({
            error: 'insufficient_scope',
            scope: textIn(context, 'scope') ?? 'admin',
          }),
        }
      : { 'WWW-Authenticate': challenge({}) },
  'wrong-method': ({ context }) => ({ Allow: textIn(context, 'allow') ?? 'GET' }),
};

function textIn(context: AppError['context'], name: string): string | undefined {
  const value = context?.[name];
  return typeof value === 'string' ? value : undefined;
}

function challenge(parameters: Readonly<Record<string, string>>): string {
  const all = Object.entries({ realm: 'sluice', ...parameters });
  return `Bearer ${all.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}

/** The operation that an error speaks about, when it is not in the path. */
export function operationIdOf(error: AppError): string | undefined {
  return textIn(error.context, 'operationId');
}

const LAST_RESORT = JSON.stringify({
  type: '/problems/internal',
  title: ERRORS.internal.title,
  status: 500,
  detail: 'Something went wrong on our side',
  code: 'internal',
  retryable: true,
});

/** JSON of a problem; of a plain one when this one cannot be written. Never throws. */
export function problemText(problem: Problem): string {
  try {
    return JSON.stringify(problem);
  } catch {
    return LAST_RESORT;
  }
}
