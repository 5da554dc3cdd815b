import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { versionOf } from '../../core/operations/versions.ts';
import type { InterventionAction } from '../../core/operations/intervention.ts';
import { type BodySpec, jsonBody } from '../http/body.ts';
import type { operationSchema } from '../contract/operation.ts';
import type { View } from '../contract/parts.ts';
import type { Reply } from '../http/reply.ts';
import type { RequestContext } from '../http/request-context.ts';
import { parseInput } from '../http/parse-input.ts';
import { operationView, statusOfOperation } from '../views/operation.ts';
import { outcomeOf, preferenceApplied } from './submit.ts';
import { forbiddenType, foreignType, mayAskFor, mayAskForIts } from './type-rights.ts';

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
    schema,
    parse: (text, mediaType) => parseInput(schema, jsonBody.parse(text, mediaType)),
  };
}

async function refuseOthers(
  { services, tenant, scopes }: RequestContext,
  id: string,
  doing: string,
): Promise<void> {
  const operation = await services.operations(tenant).find(id);
  if (operation === undefined) return; // not found: that is said where it is looked for again
  const { registry } = services;
  const { type } = operation;
  const now = Object.hasOwn(registry, type) ? registry[type] : undefined;
  const found = versionOf(registry, operation);
  const asAccepted = found.kind === 'known' ? found.definition : undefined;
  const lacking = [now, asAccepted].find((one) => one !== undefined && !mayAskFor(scopes, one));
  if (lacking !== undefined) throw forbiddenType(lacking, doing);
  // Who may ask for some types alone may take back those; approving is a right of its own.
  const asked = { definition: now ?? asAccepted ?? { type }, input: operation.input };
  if (doing === 'cancel' && !mayAskForIts(scopes, asked)) throw foreignType(scopes, asked);
}

type Unsigned<A> = A extends unknown ? Omit<A, 'actor' | 'correlationId'> : never;

/**
 * Does something to an operation from outside and answers with the operation: 200 when it is
 * final, 202 while its outcome is open (`Prefer: wait` waits for it).
 *
 * Whoever changes an operation needs the right to ask for it.
 *
 * @throws AppError `not_found`, `forbidden`, `not_cancelable` or `illegal_state`; then nothing has
 *   changed.
 */
export async function intervene(
  request: RequestContext,
  id: string,
  action: Unsigned<InterventionAction>,
): Promise<Reply<View<typeof operationSchema>>> {
  const { services, tenant, keyId, correlationId } = request;
  await refuseOthers(request, id, action.kind);
  const changed = await services.intervene(tenant, id, {
    ...action,
    actor: keyId,
    correlationId,
  });
  const operation = await outcomeOf(request, changed);
  const status = statusOfOperation(operation);
  return {
    status,
    headers: preferenceApplied(request, status === 200),
    body: operationView(operation, services.registry),
  };
}
