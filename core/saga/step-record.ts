import { LIMITS } from '../../config/limits.ts';
import { assert } from '../kernel/assert.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';

export type StepStatus =
  /** The intent is recorded; whether the call was made is known only to who recorded it. */
  | 'started'
  | 'done'
  /** Definitely without effect. */
  | 'refused'
  /** The other side has never seen it. */
  | 'absent'
  /** May or may not have happened. */
  | 'unsure'
  /** Parked until a signal comes or its time is over. */
  | 'waiting'
  | 'undoing'
  | 'undone';

const STEP_NEXT = {
  started: ['started', 'done', 'refused', 'absent', 'unsure', 'waiting', 'undoing', 'undone'],
  waiting: ['started', 'undoing', 'undone'],
  unsure: ['started', 'done', 'refused', 'absent', 'unsure', 'undoing', 'undone'],
  absent: ['started', 'undoing', 'undone'],
  done: ['undoing', 'undone'],
  undoing: ['undoing', 'undone'],
  refused: [],
  undone: [],
} as const satisfies Record<StepStatus, readonly StepStatus[]>;

/** An attempt that was not the last one. Without an error its worker died or stalled. */
export interface Try {
  readonly attempt: number;
  readonly at: Date;
  readonly by?: string;
  readonly error?: Failure;
}

/** One line of the journal: where a step stands. */
export interface StepRecord {
  readonly name: string;
  readonly status: StepStatus;
  /** Attempts begun. */
  readonly attempt: number;
  /** The claim under which the last attempt began: of another one, its outcome is unknown. */
  readonly epoch: number;
  readonly startedAt: Date;
  /** The worker that began the last attempt. */
  readonly by?: string;
  /** The latest of the attempts before it. */
  readonly earlier?: readonly Try[];
  readonly finishedAt?: Date;
  readonly result?: Json;
  readonly error?: Failure;
  readonly retryAt?: Date;
  readonly waitingFor?: { readonly signal: string; readonly until?: Date };
  readonly waitedSince?: Date;
  /** It is the saga's point of no return. */
  readonly isPivot?: true;
  readonly undoAttempt?: number;
  readonly undoStartedAt?: Date;
  readonly undoBy?: string;
  readonly undoneAt?: Date;
}

type RecordChange = Partial<Omit<StepRecord, 'name' | 'status'>>;

/** @throws InvariantError when the table does not know the move. */
export function moved(record: StepRecord, status: StepStatus, change: RecordChange): StepRecord {
  const isLegal = STEP_NEXT[record.status].some((next) => next === status);
  assert(isLegal, 'steps move only by the table', { from: record.status, to: status });
  return { ...record, ...change, status };
}

/** What a new attempt keeps of the last one. */
export function carriedOver(
  old: StepRecord,
): Pick<StepRecord, 'waitingFor' | 'waitedSince' | 'earlier'> {
  const { waitingFor, waitedSince, attempt, startedAt, by, error, earlier = [] } = old;
  const last: Try = {
    attempt,
    at: startedAt,
    ...(by !== undefined && { by }),
    ...(error !== undefined && { error }),
  };
  return {
    // A step that waited runs again under the same attempt: that is no retry.
    ...(old.status === 'waiting'
      ? old.earlier !== undefined && { earlier }
      : { earlier: [...earlier, last].slice(-LIMITS.stepTriesKept) }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(waitedSince !== undefined && { waitedSince }),
  };
}
