import { z } from 'zod';
import { ERRORS, isErrorCode } from '../../core/kernel/errors.ts';

/** What the schemas of answers are made of. `meta({ id })` names one in the reference. */

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** What a view of the schema returns: one that differs does not compile. */
export type View<S extends z.ZodType> = Frozen<z.input<S>>;

export const text = z.string();
export const count = z.int().min(0);

export const time = z.iso.datetime().meta({
  id: 'Instant',
  description: 'UTC, with milliseconds',
  examples: ['2026-03-01T12:00:00.000Z'],
});

export const money = z
  .string()
  .regex(/^-?\d{1,20}$/)
  .meta({
    id: 'Amount',
    description: 'Minor units (cents) as a decimal string',
    examples: ['1250'],
  });

export const operationId = z
  .string()
  .regex(/^op_[0-9a-f]{32}$/)
  .meta({ id: 'OperationId', examples: ['op_019a3b5c7d8e7f009a3b5c7d8e7f0011'] });

export const walletId = z
  .string()
  .regex(/^wal_[0-9a-f]{32}$/)
  .meta({ id: 'WalletId', examples: ['wal_5f0c1d2e3b4a59687786950413223140'] });

export const json = z.unknown().meta({ id: 'Json', description: 'Any JSON' });

export const metadata = z
  .record(z.string(), z.string())
  .meta({ id: 'Metadata', description: 'Strings of your own' });

export const errorCode = z
  .enum(Object.keys(ERRORS).filter(isErrorCode))
  .meta({ id: 'ErrorCode', description: 'Stable; each has a page at /problems/<code>' });

const problemError = z.union([
  z.strictObject({
    pointer: text.meta({ description: 'JSON pointer (RFC 6901) into the body' }),
    detail: text,
  }),
  z.strictObject({ parameter: text, in: z.enum(['query', 'path']), detail: text }),
]);

/** RFC 9457. */
export const problemSchema = z
  .strictObject({
    type: text.meta({ description: 'Address of the page that explains the code' }),
    title: text,
    status: z.int().min(400).max(599),
    detail: text,
    instance: text.exactOptional(),
    code: errorCode,
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed later' }),
    correlationId: text.exactOptional(),
    operationId: operationId.exactOptional(),
    errors: z.array(problemError).exactOptional(),
  })
  .meta({ id: 'Problem', description: 'What went wrong (RFC 9457)' });

/** One page of a list. */
export function pageOf<S extends z.ZodType>(item: S, id: string) {
  return z
    .strictObject({
      items: z.array(item),
      nextCursor: text
        .nullable()
        .meta({ description: '`cursor` of the next page; null on the last one' }),
    })
    .meta({ id });
}
