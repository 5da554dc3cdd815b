import { AppError } from '../../core/kernel/errors.ts';
import type { OperationDefinition } from '../../core/operations/define.ts';
import { type Scope, hasScope } from '../../core/access/api-key.ts';

type Rights = Pick<OperationDefinition, 'type' | 'scope'>;

/** Whether a key has what the type needs beside the scope of the endpoint. */
export function mayAskFor(scopes: readonly Scope[], { scope }: Rights): boolean {
  return scope === undefined || hasScope(scopes, scope);
}

/** `doing`: `ask for`, or what else is done to an operation of the type. */
export function forbiddenType({ type, scope }: Rights, doing: string): AppError {
  const detail = `To ${doing} ${type} the key needs the scope "${scope ?? ''}"`;
  return new AppError('forbidden', detail, { context: { scope } });
}
