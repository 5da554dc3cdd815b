import { z } from 'zod';
import { LIMITS } from '../config/limits.ts';
import type { InterventionAction } from '../core/saga/intervention.ts';
import type { BodySpec } from './body.ts';
import { jsonBody } from './body.ts';
import type { RequestContext } from './endpoint.ts';
import type { Reply } from './reply.ts';
import { parseInput } from './parse-input.ts';
import { operationView, statusOfOperation } from './operation-view.ts';
import { outcomeOf, preferenceApplied } from './submit.ts';

/** Why a person acts: what the audit and the timeline show. */
export const note = z
  .string()
  .trim()
  .min(1)
  .max(LIMITS.noteCharsMax)
  .meta({ description: 'why; shown in the audit and the timeline' });

/** JSON that has to fit a schema. */
export function jsonBodyOf<T>(schema: z.ZodType<T>): BodySpec<T> {
  return {
    accepts: jsonBody.accepts,
    parse: (text, mediaType) => parseInput(schema, jsonBody.parse(text, mediaType)),
  };
}

type Unsigned<A> = A extends unknown ? Omit<A, 'actor'> : never;

/**
 * Does something to an operation from outside and answers with the operation: 200 when it is
 * final, 202 while its outcome is open (`Prefer: wait` waits for it).
 *
 * @throws AppError `not_found`, `not_cancelable` or `illegal_state`; then nothing has changed.
 */
export async function intervene(
  request: RequestContext,
  id: string,
  action: Unsigned<InterventionAction>,
): Promise<Reply> {
  const { services, tenant, keyId } = request;
  const changed = await services.intervene(tenant, id, { ...action, actor: keyId });
  const operation = await outcomeOf(request, changed);
  const status = statusOfOperation(operation);
  return {
    status,
    headers: preferenceApplied(request, status === 200),
    body: operationView(operation, services.registry),
  };
}
