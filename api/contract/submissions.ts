import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { present } from '../../core/kernel/assert.ts';
import { envelopeFields } from '../../core/ingest/parse-submission.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { OperationDefinition } from '../../core/operations/define.ts';

/**
 * What may be asked for, as one schema for the reference: a request is judged in parts
 * (`parse-submission.ts`), so that one answer names everything that is wrong with it.
 */

/** `hold.place` is `HoldPlace`. */
function nameOf(type: string): string {
  return type
    .split(/[.-]/)
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');
}

function typed(definition: OperationDefinition, extra: z.core.$ZodLooseShape = {}) {
  const { type, input, summary } = definition;
  return z.strictObject({
    ...extra,
    type: z.literal(type),
    input: input.meta({ id: `${nameOf(type)}Input`, description: summary }),
    ...envelopeFields,
  });
}

function unionOf(extra?: z.core.$ZodLooseShape) {
  const [first, ...others] = Object.values(OPERATIONS).map((one) => typed(one, extra));
  return z.discriminatedUnion('type', [present(first, 'an operation type'), ...others]);
}

/** `{type, input, …}` */
export const submission = unionOf().meta({ id: 'Submission' });

const bulkItem = unionOf({
  idempotencyKey: z.string().min(1).max(LIMITS.idempotencyKeyCharsMax),
}).meta({ id: 'BulkItem' });

export const bulkSubmission = z.array(bulkItem).min(1).max(LIMITS.bulkItemsMax);

/** The bare input with the envelope beside it, without what the path states. */
export function aliasBody({ type, input }: OperationDefinition, idField?: string): z.ZodType {
  if (!(input instanceof z.ZodObject)) return input;
  const own = Object.entries<z.core.SomeType>(input.shape).filter(([name]) => name !== idField);
  return z
    .strictObject({ ...Object.fromEntries(own), ...envelopeFields })
    .meta({ id: `${nameOf(type)}Request` });
}
