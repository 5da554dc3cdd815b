import { z } from 'zod';
import { AppError, type FieldError } from '../../core/kernel/errors.ts';
import { fieldErrors } from '../../core/kernel/field-errors.ts';

/** @throws AppError `invalid_request`, naming everything that does not fit. */
export function parseInput<T>(schema: z.ZodType<T>, raw: unknown, where?: FieldError['in']): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error.issues, raw).map((error) =>
    where === undefined ? error : { ...error, in: where },
  );
  const [first] = errors;
  const name = where === undefined ? first?.pointer : first?.pointer.slice(1);
  const what = first === undefined ? '' : `: ${name ?? ''} ${first.detail}`;
  const known = where === 'query' ? knownText(schema, parsed.error.issues) : '';
  throw new AppError('invalid_request', `The request does not fit the schema${what}${known}`, {
    errors,
  });
}

/** Whoever asks by a parameter that is not there is told which there are. */
function knownText(schema: z.ZodType, issues: readonly z.core.$ZodIssue[]): string {
  if (!issues.some(({ code }) => code === 'unrecognized_keys')) return '';
  const names = parametersOf(schema);
  return names.length === 0 ? ': there are none here' : `: there are ${names.join(', ')}`;
}

function parametersOf(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodPipe) return parametersOf(schema.out);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.keys(schema.shape).map((name) => (name === 'metadata' ? 'metadata.<key>' : name));
}
