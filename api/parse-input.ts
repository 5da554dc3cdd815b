import type { z } from 'zod';
import { AppError } from '../core/kernel/errors.ts';
import { fieldErrors } from '../core/kernel/field-errors.ts';

/** @throws AppError `invalid_request`, naming everything that does not fit. */
export function parseInput<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error.issues, raw);
  const [first] = errors;
  const what = first === undefined ? '' : `: ${first.pointer} ${first.detail}`;
  throw new AppError('invalid_request', `The request does not fit the schema${what}`, { errors });
}
