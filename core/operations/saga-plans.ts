import type { PlanLookup } from '../saga/engine.ts';
import type { OperationDoc } from '../saga/operation.ts';
import type { Registry } from './registry.ts';

/** The definition under which an operation was accepted: work in flight keeps its version. */
export function planLookup(registry: Registry): (operation: OperationDoc) => PlanLookup {
  return ({ type, typeVersion }) => {
    const current = registry[type];
    if (current === undefined || typeVersion > current.version) return { kind: 'newer' };
    const known = [current, ...(current.earlier ?? [])].find(
      ({ version }) => version === typeVersion,
    );
    const plan = known?.saga;
    return plan === undefined ? { kind: 'gone' } : { kind: 'plan', plan };
  };
}
