import { FAILPOINT_FAULTS } from './failpoint-faults.ts';
import type { FaultKind } from './fault-kind.ts';
import { JOB_FAULTS } from './job-faults.ts';
import { MONGO_FAULTS } from './mongo-faults.ts';
import { OUTSIDE_FAULTS } from './outside-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';

/** Every kind of fault that a run may plan. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...PROCESS_FAULTS,
  ...MONGO_FAULTS,
  ...FAILPOINT_FAULTS,
  ...REDIS_FAULTS,
  ...OUTSIDE_FAULTS,
  ...JOB_FAULTS,
];

/** Kinds by name, or by a beginning such as `mongo-`. @throws Error for what fits none. */
export function kindsNamed(names: readonly string[]): readonly FaultKind[] {
  const found = names.flatMap((name) => {
    const fitting = FAULT_KINDS.filter(
      (kind) => kind.name === name || (name.endsWith('-') && kind.name.startsWith(name)),
    );
    if (fitting.length === 0) throw new Error(`there is no kind of fault named ${name}`);
    return fitting;
  });
  return [...new Set(found)];
}
