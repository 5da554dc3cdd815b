import type { StepRecord, StepStatus } from './step-record.ts';

/** What an attempt at a step may come to, or an attempt to take it back. */
const OUTCOMES: ReadonlySet<StepStatus> = new Set([
  'done',
  'refused',
  'absent',
  'unsure',
  'waiting',
  'undone',
]);

export interface StepOutcomeCount {
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
