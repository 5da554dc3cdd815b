import { InvariantError } from '../kernel/errors.ts';
import type { BoundOperation, OperationDefinition } from './define.ts';
import type { OperationDoc } from './operation.ts';
import { NO_TOUCHES } from './touches.ts';

export type VersionLookup =
  | { readonly kind: 'known'; readonly definition: OperationDefinition }
  /** Accepted by newer code than this: another process will know it. */
  | { readonly kind: 'newer' }
  /** Older than all that this code has kept: only a human can help. */
  | { readonly kind: 'gone' };

/** The definition under which an operation was accepted: work in flight keeps its version. */
export function versionOf(
  registry: Readonly<Record<string, OperationDefinition>>,
  { type, typeVersion }: Pick<OperationDoc, 'type' | 'typeVersion'>,
): VersionLookup {
  const current = Object.hasOwn(registry, type) ? registry[type] : undefined;
  if (current === undefined || typeVersion > current.version) return { kind: 'newer' };
  const definition = versionIn(current, typeVersion);
  return definition === undefined ? { kind: 'gone' } : { kind: 'known', definition };
}

export function versionIn(
  current: OperationDefinition,
  version: number,
): OperationDefinition | undefined {
  return [current, ...(current.earlier ?? [])].find((one) => one.version === version);
}

/** What is left of an operation whose version is gone: its decision is a bug, which parks it. */
export const GONE: BoundOperation = {
  ordering: { user: '' },
  creates: [],
  mainWallet: undefined,
  touches: NO_TOUCHES,
  decide: () => {
    throw new InvariantError('a version is kept as long as operations of it are open');
  },
  describe: () => ({}),
};
