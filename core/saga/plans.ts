import type { PlanLookup } from './engine.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { Registry } from '../operations/define.ts';
import { versionOf } from '../operations/versions.ts';

/** The definition under which an operation was accepted: work in flight keeps its version. */
export function planLookup(registry: Registry): (operation: OperationDoc) => PlanLookup {
  return (operation) => {
    const found = versionOf(registry, operation);
    if (found.kind !== 'known') return found;
    const plan = found.definition.saga;
    return plan === undefined ? { kind: 'gone' } : { kind: 'plan', plan };
  };
}
