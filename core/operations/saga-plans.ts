import type { PlanLookup } from '../saga/engine.ts';
import type { OperationDoc } from './operation.ts';
import type { Registry } from '../operation-types/registry.ts';
import { versionOf } from './versions.ts';

/** The definition under which an operation was accepted: work in flight keeps its version. */
export function planLookup(registry: Registry): (operation: OperationDoc) => PlanLookup {
  return (operation) => {
    const found = versionOf(registry, operation);
    if (found.kind !== 'known') return found;
    const plan = found.definition.saga;
    return plan === undefined ? { kind: 'gone' } : { kind: 'plan', plan };
  };
}
