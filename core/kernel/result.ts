import type { ErrorCode, Failure, FieldError } from './errors.ts';

/** What a pure rule returns: a value, or an expected failure as data. */
export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(
  code: ErrorCode,
  detail: string,
  errors?: readonly FieldError[],
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: errors === undefined ? { code, detail } : { code, detail, errors } };
}
