import type { Failure } from '../kernel/errors.ts';
import type { StepRecord, StepStatus } from '../operations/step-record.ts';

interface Named {
  readonly name: string;
}

export function exhausted({ name }: Named, record: StepRecord): Failure {
  const last = record.error ?? record.earlier?.findLast(({ error }) => error !== undefined)?.error;
  const reason = last === undefined ? '' : `; the last error: ${last.detail}`;
  return {
    code: 'step_exhausted',
    detail: `Step ${name} gave up after ${record.attempt} attempts${reason}`,
  };
}

export function unknownOutcome({ name }: Named): Failure {
  return {
    code: 'outcome_unknown',
    detail: `Whether step ${name} took effect is unknown, and it must not be repeated`,
  };
}

/** Records whose effect may exist, or may still arrive late: `absent` is undone by a tombstone. */
const MAYBE_EFFECTIVE: ReadonlySet<StepStatus> = new Set([
  'started',
  'unsure',
  'absent',
  'done',
  'waiting',
  'undoing',
]);

/** Of a ledger step: it was committed, so there is something to post back. */
const POSTED: ReadonlySet<StepStatus> = new Set(['done', 'undoing']);

interface Undoable {
  readonly redo: string;
  readonly hasCompensation: boolean;
}

export function needsUndo(plan: readonly Undoable[], record: StepRecord, step: number): boolean {
  const shape = plan[step];
  if (shape?.hasCompensation !== true) return false;
  if (shape.redo === 'atomic') return POSTED.has(record.status);
  // A refusal speaks for its own attempt, not for those before it whose outcome is unknown.
  const mayStand = record.status === 'refused' && record.mayHaveEffect === true;
  return mayStand || MAYBE_EFFECTIVE.has(record.status);
}
