import { assert, present } from '../kernel/assert.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';
import {
  type StepRecord,
  type TurnBack,
  carriedOver,
  logged,
  moved,
  undosLogged,
  wasRefused,
} from '../operations/step-record.ts';
import { exhausted, needsUndo, unknownOutcome } from './step-ends.ts';
import type { Redo } from '../operations/step.ts';

/**
 * The saga as a pure state machine: `nextCommand` says what to do, the event functions say what the
 * state is afterwards. It does no I/O and reads no clock, so it can be tested by model.
 */

export interface SagaState {
  readonly status: 'running' | 'compensating';
  readonly steps: readonly StepRecord[];
  readonly pivotPassed: boolean;
  readonly turnBack?: TurnBack;
}

/** What the machine needs to know of a step's definition. */
export interface StepShape {
  readonly name: string;
  /** Ledger steps are atomic with the journal, so that their outcome is never unknown. */
  readonly redo: Redo | 'atomic';
  readonly isPivot: boolean;
  readonly attemptsMax: number;
  readonly undoAttemptsMax: number;
  readonly hasCompensation: boolean;
}

export interface Facts {
  /** Of the present claim. */
  readonly epoch: number;
  readonly now: Date;
  readonly isCancelRequested: boolean;
  readonly deadline?: Date;
}

export type Command =
  | { readonly do: 'run' | 'ask' | 'undo'; readonly step: number; readonly attempt: number }
  | { readonly do: 'pause'; readonly until: Date }
  | { readonly do: 'turn-back'; readonly why: TurnBack }
  | {
      readonly do: 'finish';
      readonly status: 'succeeded' | 'rejected' | 'compensated' | 'canceled' | 'expired';
      readonly error?: Failure;
    }
  | { readonly do: 'park'; readonly error: Failure };

export const NEW_SAGA: SagaState = { status: 'running', steps: [], pivotPassed: false };

/** What is to be done now. Total: every state that the table allows has a command. */
export function nextCommand(plan: readonly StepShape[], state: SagaState, facts: Facts): Command {
  if (state.turnBack !== undefined) return backward(plan, state, facts);
  const index = state.steps.findIndex((record) => record.status !== 'done');
  const step = index === -1 ? state.steps.length : index;
  const shape = plan[step];
  // Before anything from outside: what is done in full is neither late nor taken back.
  if (shape === undefined) return { do: 'finish', status: 'succeeded' };
  const why = outsideReason(state, facts);
  if (why !== undefined) return { do: 'turn-back', why };
  const record = state.steps[step];
  if (record === undefined) return { do: 'run', step, attempt: 1 };
  return forward({ shape, record, step, state, facts });
}

export const CANCELED: TurnBack = {
  status: 'canceled',
  error: { code: 'canceled', detail: 'Canceled on request' },
};

function outsideReason(state: SagaState, facts: Facts): TurnBack | undefined {
  if (state.pivotPassed) return undefined;
  if (facts.isCancelRequested) return CANCELED;
  if (facts.deadline !== undefined && facts.deadline <= facts.now) {
    const detail = `The deadline ${facts.deadline.toISOString()} has passed`;
    return { status: 'expired', error: { code: 'deadline_passed', detail } };
  }
  return undefined;
}

interface Position {
  readonly shape: StepShape;
  readonly record: StepRecord;
  readonly step: number;
  readonly state: SagaState;
  readonly facts: Facts;
}

function forward(position: Position): Command {
  const { shape, record, step, state, facts } = position;
  const isDue = record.retryAt === undefined || record.retryAt <= facts.now;
  switch (record.status) {
    case 'refused':
      return giveUp(state, present(record.error, 'the reason of a refusal'));
    case 'waiting':
      return { do: 'run', step, attempt: record.attempt };
    case 'absent':
      if (record.attempt >= shape.attemptsMax) return giveUp(state, exhausted(shape, record));
      return isDue ? { do: 'run', step, attempt: record.attempt + 1 } : pause(record);
    case 'started':
      assert(record.epoch !== facts.epoch, 'a call under way is not decided about', { step });
      return again(position);
    case 'unsure':
      return isDue ? again(position) : pause(record);
    case 'done':
    case 'undoing':
    case 'undone':
      assert(false, 'a saga that goes forward has no such step', { step, status: record.status });
  }
}

/** The outcome of the last attempt is unknown. */
function again({ shape, record, step, state }: Position): Command {
  const attempt = record.attempt + 1;
  switch (shape.redo) {
    case 'never':
      return { do: 'park', error: unknownOutcome(shape) };
    case 'query':
      // Asked even when the attempts are used up: the answer decides which way to go.
      if (record.attempt >= shape.attemptsMax * 2) return outOfPatience(shape, record, state);
      return { do: 'ask', step, attempt };
    case 'safe':
    case 'atomic':
      if (record.attempt >= shape.attemptsMax) return outOfPatience(shape, record, state);
      return { do: 'run', step, attempt };
  }
}

/** Past the pivot only a human may go on; before it the compensations leave tombstones. */
function outOfPatience(shape: StepShape, record: StepRecord, state: SagaState): Command {
  const error = exhausted(shape, record);
  return state.pivotPassed ? { do: 'park', error } : giveUp(state, error);
}

function giveUp(state: SagaState, error: Failure): Command {
  return state.pivotPassed
    ? { do: 'park', error }
    : { do: 'turn-back', why: { status: 'rejected', error } };
}

function pause(record: StepRecord): Command {
  return { do: 'pause', until: present(record.retryAt, 'the time of a retry') };
}

function backward(plan: readonly StepShape[], state: SagaState, facts: Facts): Command {
  const step = state.steps.findLastIndex((record, index) => needsUndo(plan, record, index));
  const record = state.steps[step];
  if (record === undefined) return allUndone(state);
  const shape = present(plan[step], 'the shape of a step');
  const attempts = record.undoAttempt ?? 0;
  if (attempts >= shape.undoAttemptsMax) {
    const reason = record.undoError?.detail ?? 'its worker died each time';
    const detail = `Taking back step ${shape.name} failed ${attempts} times: ${reason}`;
    return { do: 'park', error: { code: 'compensation_exhausted', detail } };
  }
  const { retryAt } = record;
  const isEarly = record.status === 'undoing' && retryAt !== undefined && retryAt > facts.now;
  return isEarly ? pause(record) : { do: 'undo', step, attempt: attempts + 1 };
}

function allUndone(state: SagaState): Command {
  const why = present(state.turnBack, 'the reason of a way back');
  // Of a refused step that was a precaution: the outcome is the same whoever died in between.
  const wasUndone = state.steps.some((record) => record.status === 'undone' && !wasRefused(record));
  const status = why.status === 'rejected' && wasUndone ? 'compensated' : why.status;
  return { do: 'finish', status, error: why.error };
}

// Events: what the state is after something happened.

function withStep(state: SagaState, step: number, record: StepRecord): SagaState {
  assert(step <= state.steps.length, 'steps are journaled in order', { step });
  const steps = [...state.steps];
  steps[step] = record;
  return { ...state, steps };
}

function recordOf(state: SagaState, step: number): StepRecord {
  return present(state.steps[step], `the record of step ${step}`);
}

export interface Start {
  readonly step: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly at: Date;
  /** The worker. */
  readonly by?: string;
}

export function stepStarted(plan: readonly StepShape[], state: SagaState, start: Start): SagaState {
  const shape = present(plan[start.step], 'a step of the plan');
  const old = state.steps[start.step];
  const { attempt, epoch, at, by } = start;
  if (old !== undefined) moved(old, 'started', {});
  const next = withStep(state, start.step, {
    name: shape.name,
    status: 'started',
    attempt,
    epoch,
    startedAt: at,
    ...(by !== undefined && { by }),
    ...(shape.isPivot && { isPivot: true }),
    ...(old !== undefined && carriedOver(old)),
    ...(old !== undefined && shape.redo !== 'atomic' && { mayHaveEffect: true }),
  });
  return shape.isPivot ? { ...next, pivotPassed: true } : next;
}

export function stepDone(
  state: SagaState,
  step: number,
  done: { readonly at: Date; readonly result: Json | undefined },
): SagaState {
  const { record } = settledParts(recordOf(state, step));
  const result = done.result === undefined ? {} : { result: done.result };
  return withStep(state, step, moved(record, 'done', { finishedAt: done.at, ...result }));
}

/** What is known is known: nothing of it is unsure, or to be tried, any more. */
function settledParts(old: StepRecord) {
  const { retryAt: _retry, error: _error, failedAt: _failed, mayHaveEffect, ...record } = old;
  return { record, mayHaveEffect: mayHaveEffect === true };
}

export interface Refusal {
  readonly step: number;
  readonly at: Date;
  readonly error: Failure;
  /** It was ours, not the other side's: it says nothing about the attempts before it. */
  readonly isOwn?: boolean;
}

/**
 * A definite refusal of one attempt. Of the pivot: it was not passed after all, unless an attempt
 * before it may have passed it and nothing could take that back.
 */
export function stepRefused(
  plan: readonly StepShape[],
  state: SagaState,
  { step, at, error, isOwn = false }: Refusal,
): SagaState {
  const { record, mayHaveEffect } = settledParts(recordOf(state, step));
  // Who was asked has answered for all of them.
  const mayStand = mayHaveEffect && record.asked !== true;
  const refused = moved(record, 'refused', {
    finishedAt: at,
    error,
    ...(mayStand && { mayHaveEffect: true }),
  });
  const next = withStep(state, step, refused);
  const isStuck = mayStand && isOwn && plan[step]?.hasCompensation !== true;
  return isStuck ? next : unpassed(plan, next, step);
}

export interface Failed {
  readonly attempt: number;
  readonly error: Failure;
  readonly retryAt: Date;
  readonly at?: Date;
  readonly postponedSince?: Date;
}

export function stepUnsure(state: SagaState, step: number, { at, ...failed }: Failed): SagaState {
  const record = recordOf(state, step);
  const usesNone = failed.attempt < record.attempt;
  const change = {
    ...failed,
    ...(at !== undefined && { failedAt: at }),
    ...(usesNone && { tried: record.attempt }),
  };
  return withStep(state, step, moved(record, 'unsure', change));
}

/** The other side is asked what has become of the attempts so far. */
export function stepAsked(
  state: SagaState,
  step: number,
  { at, by }: { readonly at: Date; readonly by: string },
): SagaState {
  const old = recordOf(state, step);
  const { record } = settledParts(old);
  return withStep(state, step, {
    ...record,
    ...logged(old),
    startedAt: at,
    by,
    asked: true,
    mayHaveEffect: true,
  });
}

/** The other side has never seen it: as if it had not been tried. */
export function stepAbsent(plan: readonly StepShape[], state: SagaState, step: number): SagaState {
  const { retryAt: _retry, ...record } = recordOf(state, step);
  return unpassed(plan, withStep(state, step, moved(record, 'absent', {})), step);
}

function unpassed(plan: readonly StepShape[], state: SagaState, step: number): SagaState {
  return plan[step]?.isPivot === true ? { ...state, pivotPassed: false } : state;
}

export function stepWaits(
  state: SagaState,
  step: number,
  waitingFor: { readonly signal: string; readonly until?: Date },
): SagaState {
  const record = recordOf(state, step);
  const { waitedSince = record.startedAt } = record;
  return withStep(state, step, moved(record, 'waiting', { waitingFor, waitedSince }));
}

export function turnedBack(plan: readonly StepShape[], state: SagaState, why: TurnBack): SagaState {
  assert(!state.pivotPassed, 'past the pivot a saga goes only forward');
  const hasEffects = state.steps.some((record, step) => needsUndo(plan, record, step));
  return { ...state, turnBack: why, status: hasEffects ? 'compensating' : state.status };
}

export function undoStarted(state: SagaState, start: Start): SagaState {
  const old = recordOf(state, start.step);
  const { retryAt: _retry, undoError: _error, undoFailedAt: _failed, ...record } = old;
  const { at, by, epoch, attempt } = start;
  const change = {
    undoAttempt: attempt,
    undoStartedAt: at,
    epoch,
    ...(by !== undefined && { undoBy: by }),
    ...undosLogged(old),
  };
  return withStep(state, start.step, moved(record, 'undoing', change));
}

export function undoFailed(
  state: SagaState,
  step: number,
  { error, at, ...rest }: Omit<Failed, 'attempt'> & Pick<StepRecord, 'undoAttempt'>,
): SagaState {
  const change = { undoError: error, ...rest, ...(at !== undefined && { undoFailedAt: at }) };
  return withStep(state, step, moved(recordOf(state, step), 'undoing', change));
}

export function undoDone(state: SagaState, step: number, at: Date): SagaState {
  const { retryAt: _retry, undoError: _error, ...record } = recordOf(state, step);
  return withStep(state, step, moved(record, 'undone', { undoneAt: at }));
}
