import { AppError } from '../../core/kernel/errors.ts';
import type { OperationDefinition } from '../../core/operations/define.ts';
import { type Scope, hasScope, hasType } from '../../core/access/scopes.ts';

type Rights = Pick<OperationDefinition, 'type' | 'scope'>;

/** What is asked for: an operation, and those that it is made of. */
interface Asked {
  readonly definition: Pick<OperationDefinition, 'type' | 'scope' | 'parts'>;
  readonly input: unknown;
}

/** Whether a key has what the type needs beside the scope of the endpoint. */
export function mayAskFor(scopes: readonly Scope[], { scope }: Rights): boolean {
  return scope === undefined || hasScope(scopes, scope);
}

/** `doing`: `ask for`, or what else is done to an operation of the type. */
export function forbiddenType({ type, scope }: Rights, doing: string): AppError {
  const detail = `To ${doing} ${type} the key needs the scope "${scope ?? ''}"`;
  return new AppError('forbidden', detail, { context: { scope } });
}

/** Most keys may ask for all types, which costs one look. */
export function mayAskForIts(scopes: readonly Scope[], { definition, input }: Asked): boolean {
  if (hasScope(scopes, 'operations:write')) return true;
  const parts = definition.parts?.(input);
  if (parts === undefined) return hasType(scopes, definition.type);
  return !parts.some((type) => !hasType(scopes, type));
}

/** What a key that is limited to some types may not ask for; each part by itself. */
export function foreignType(scopes: readonly Scope[], { definition, input }: Asked): AppError {
  const parts = definition.parts?.(input);
  const foreign = (parts ?? [definition.type]).filter((type) => !hasType(scopes, type));
  const scope = `operations:write:${foreign[0] ?? definition.type}`;
  const errors = (parts ?? []).flatMap((type, index) =>
    hasType(scopes, type)
      ? []
      : [{ pointer: `/input/operations/${index}/type`, detail: `needs operations:write:${type}` }],
  );
  const what = [...new Set(foreign)].join(', ');
  return new AppError('forbidden', `The key may not ask for ${what}`, {
    context: { scope },
    ...(errors.length > 0 && { errors }),
  });
}
