import type { Metrics } from '../telemetry/metrics.ts';
import type { Run } from './saga-run.ts';
import type { StepRecord, StepStatus } from '../operations/step-record.ts';

/** What an attempt at a step may come to, or an attempt to take it back. */
const OUTCOMES: ReadonlySet<StepStatus> = new Set([
  'done',
  'refused',
  'absent',
  'unsure',
  'waiting',
  'undone',
]);

interface StepOutcomeCount {
  readonly step: string;
  readonly outcome: StepStatus;
}

/** What has come of steps between two states of a saga. */
export function outcomesBetween(
  before: readonly StepRecord[],
  after: readonly StepRecord[],
): readonly StepOutcomeCount[] {
  return after.flatMap((record, index) => {
    const old = before[index];
    const isNew = old?.status !== record.status || old.attempt !== record.attempt;
    return isNew && OUTCOMES.has(record.status)
      ? [{ step: record.name, outcome: record.status }]
      : [];
  });
}

/** Does a part of a run, and counts what came of its steps in it. */
export async function counted<T>(
  { stepOutcomes }: Pick<Metrics, 'stepOutcomes'>,
  run: Run,
  part: () => Promise<T>,
): Promise<T> {
  const { steps } = run.state;
  const result = await part();
  for (const outcome of outcomesBetween(steps, run.state.steps)) {
    stepOutcomes.inc({ type: run.operation.type, ...outcome });
  }
  return result;
}
