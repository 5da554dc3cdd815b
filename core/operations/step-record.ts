import { LIMITS } from '../../config/limits.ts';
import { assert } from '../kernel/assert.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';

/** Why a saga goes back. */
export interface TurnBack {
  readonly status: 'rejected' | 'canceled' | 'expired';
  readonly error: Failure;
}

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
  // Where an attempt before the refused one may have had an effect.
  refused: ['undoing', 'undone'],
  undone: [],
} as const satisfies Record<StepStatus, readonly StepStatus[]>;

/** An attempt that was not the last one. Without an error or an answer its worker died or stalled. */
export interface Try {
  readonly attempt: number;
  readonly at: Date;
  readonly by?: string;
  readonly error?: Failure;
  readonly failedAt?: Date;
  /** It asked the other side what had become of those before it. */
  readonly asked?: true;
  readonly answer?: 'absent';
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
  /** The latest of the attempts before it, and how many older ones are no longer kept. */
  readonly earlier?: readonly Try[];
  /** The number of the last try where that has used up no attempt. */
  readonly tried?: number;
  readonly triesDropped?: number;
  /** The last attempt asked the other side what had become of those before it. */
  readonly asked?: true;
  /** When the last attempt failed, its outcome unknown. */
  readonly failedAt?: Date;
  /** An attempt before the last one may have had an effect, or may still arrive. */
  readonly mayHaveEffect?: true;
  readonly finishedAt?: Date;
  readonly result?: Json;
  readonly error?: Failure;
  readonly retryAt?: Date;
  /** The other side has been away, or has asked for patience, since then. */
  readonly postponedSince?: Date;
  readonly waitingFor?: { readonly signal: string; readonly until?: Date };
  readonly waitedSince?: Date;
  /** It is the saga's point of no return. */
  readonly isPivot?: true;
  readonly undoAttempt?: number;
  readonly undoStartedAt?: Date;
  readonly undoBy?: string;
  readonly undoError?: Failure;
  readonly undoFailedAt?: Date;
  /** The latest of the attempts to take it back before the last one. */
  readonly undoEarlier?: readonly Try[];
  readonly undoneAt?: Date;
}

type RecordChange = Partial<Omit<StepRecord, 'name' | 'status'>>;

/** @throws InvariantError when the table does not know the move. */
export function moved(record: StepRecord, status: StepStatus, change: RecordChange): StepRecord {
  const isLegal = STEP_NEXT[record.status].some((next) => next === status);
  assert(isLegal, 'steps move only by the table', { from: record.status, to: status });
  return { ...record, ...change, status };
}

/** A definite refusal, whatever was taken back after it. */
export function wasRefused({ error, finishedAt }: StepRecord): boolean {
  return error !== undefined && finishedAt !== undefined;
}

type Log = Pick<StepRecord, 'earlier' | 'triesDropped'>;

/** Which attempt its last try was, whether or not that has used it up. */
export function attemptOf({ tried, attempt }: StepRecord): number {
  return tried ?? attempt;
}

/** The attempts of a step with its last one among the earlier. */
export function logged(record: StepRecord): Log {
  const { earlier = [], triesDropped = 0 } = record;
  // A step that waited runs again under the same attempt, and one renewed by hand is there already.
  const isNew = record.status !== 'waiting' && attemptOf(record) > 0;
  const all = isNew ? [...earlier, lastTry(record)] : earlier;
  const dropped = triesDropped + Math.max(0, all.length - LIMITS.stepTriesKept);
  return {
    ...(all.length > 0 && { earlier: all.slice(-LIMITS.stepTriesKept) }),
    ...(dropped > 0 && { triesDropped: dropped }),
  };
}

function lastTry(record: StepRecord): Try {
  const { startedAt, by, error, failedAt = record.finishedAt, asked, status } = record;
  return {
    attempt: attemptOf(record),
    at: startedAt,
    ...(by !== undefined && { by }),
    ...(error !== undefined && { error }),
    ...(error !== undefined && failedAt !== undefined && { failedAt }),
    ...(asked === true && { asked }),
    ...(asked === true && status === 'absent' && { answer: status }),
  };
}

/** The attempts to take a step back, with the last one among the earlier. */
export function undosLogged(record: StepRecord): Pick<StepRecord, 'undoEarlier'> {
  const { undoEarlier = [], undoAttempt, undoStartedAt, undoBy, undoError, undoFailedAt } = record;
  if (undoAttempt === undefined || undoStartedAt === undefined) {
    return undoEarlier.length === 0 ? {} : { undoEarlier };
  }
  const last: Try = {
    // One that was postponed has used up none.
    attempt: undoAttempt + (record.postponedSince === undefined ? 0 : 1),
    at: undoStartedAt,
    ...(undoBy !== undefined && { by: undoBy }),
    ...(undoError !== undefined && { error: undoError }),
    ...(undoFailedAt !== undefined && { failedAt: undoFailedAt }),
  };
  return { undoEarlier: [...undoEarlier, last].slice(-LIMITS.stepTriesKept) };
}

/** What a new attempt keeps of the last one. */
export function carriedOver(old: StepRecord): Partial<StepRecord> {
  const { waitingFor, waitedSince, undoEarlier, postponedSince } = old;
  return {
    ...logged(old),
    ...(undoEarlier !== undefined && { undoEarlier }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(waitedSince !== undefined && { waitedSince }),
    ...(postponedSince !== undefined && { postponedSince }),
  };
}
