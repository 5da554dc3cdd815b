import { isPassing } from '../infra/database-errors.ts';
import type { Json } from '../kernel/canonical.ts';
import { AppError, type Failure, InvariantError } from '../kernel/errors.ts';
import type { HeldLease } from './heartbeat.ts';
import type { JournalRef, Requests } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import type { Facts, SagaState, StepShape } from './machine.ts';
import type { OperationDoc } from '../operations/operation.ts';
import { type SagaPlan, type Step, type StepContext, hasCompensation } from '../operations/step.ts';
import { stateOf } from './stored-state.ts';
import type { Turn } from './turn.ts';
import { LIMITS } from '../../config/limits.ts';

/** One claim being worked on. `state` runs ahead of what is `stored` by facts, never by intents. */
export interface Run {
  readonly operation: OperationDoc;
  readonly epoch: number;
  readonly plan: SagaPlan;
  readonly shapes: readonly StepShape[];
  readonly lease: HeldLease;
  /** The process at work, as timelines name it. */
  readonly worker: string;
  /** Database time, as far as it is known without asking. */
  readonly now: () => Date;
  /** The span of the run, where the operation's trace is recorded. */
  trace?: string | undefined;
  rev: number;
  /** Others of its line wait for it. */
  isInLine: boolean;
  state: SagaState;
  stored: SagaState;
  /** Others were in the way of its last write: what is known now is stored by itself first. */
  wasAborted: boolean;
  requests: Requests;
}

export function beginRun(
  claim: Claim,
  plan: SagaPlan,
  tools: { readonly lease: HeldLease; readonly monotonicMs: () => number },
): Run {
  const { operation, epoch, at } = claim;
  const sinceMs = tools.monotonicMs();
  const state = stateOf(operation);
  // Another process may have been a little ahead of the database's clock.
  const sinceTime = Math.max(
    at.getTime(),
    Math.min(operation.updatedAt?.getTime() ?? 0, at.getTime() + LEAD_MS_MAX),
  );
  return {
    operation,
    epoch,
    plan,
    shapes: shapesOf(plan),
    lease: tools.lease,
    worker: workerOf(operation),
    now: () => new Date(sinceTime + Math.round(tools.monotonicMs() - sinceMs)),
    rev: operation.rev ?? 0,
    isInLine: operation.line !== undefined,
    state,
    stored: state,
    wasAborted: false,
    requests: {
      isCancelRequested: operation.cancelRequested !== undefined,
      signals: operation.signals ?? {},
    },
  };
}

/** Beyond this a clock was wrong, and is not followed. */
const LEAD_MS_MAX = 1_000;

/** A claim's owner is `<process>/<token>`. */
function workerOf({ owner = 'unknown' }: OperationDoc): string {
  const [worker = owner] = owner.split('/');
  return worker;
}

function shapesOf({ steps }: SagaPlan): readonly StepShape[] {
  const isStated = steps.some(({ isPivot }) => isPivot === true);
  return steps.map((step, index) => {
    // Where none is stated: the last step, if nothing takes it back. Who cancels after it is late.
    const isLast = index === steps.length - 1 && !hasCompensation(step) && !isLook(step);
    return shapeOf(step, isStated ? step.isPivot === true : isLast);
  });
}

/** It has no effect that could not be taken back. */
function isLook(step: Step<unknown>): boolean {
  return step.kind === 'call' && step.onlyLooks === true;
}

function shapeOf(step: Step<unknown>, isPivot: boolean): StepShape {
  return {
    name: step.name,
    redo: step.kind === 'ledger' ? 'atomic' : step.redo,
    isPivot,
    attemptsMax: step.kind === 'ledger' ? LIMITS.sagaLedgerAttemptsMax : step.retry.attemptsMax,
    undoAttemptsMax: LIMITS.sagaUndoAttemptsMax,
    hasCompensation: hasCompensation(step),
  };
}

export function factsOf(run: Run): Facts {
  const { deadline } = run.operation;
  return {
    epoch: run.epoch,
    now: run.now(),
    isCancelRequested: run.requests.isCancelRequested || run.lease.isCancelRequested(),
    ...(deadline !== undefined && { deadline }),
  };
}

export function refOf({ operation, epoch, rev, isInLine }: Run): JournalRef {
  return { operation, epoch, rev, isInLine };
}

export function resultsOf(state: SagaState): Readonly<Record<string, Json | undefined>> {
  return Object.fromEntries(state.steps.map((record) => [record.name, record.result]));
}

export function contextOf(
  run: Run,
  { step, attempt }: Turn,
  state: SagaState = run.state,
): StepContext<unknown> {
  const until = state.steps[step]?.waitingFor?.until;
  return {
    tenantId: run.operation.tenantId,
    operationId: run.operation._id,
    input: run.operation.input,
    results: resultsOf(state),
    signals: run.requests.signals,
    hasWaitExpired: until !== undefined && until <= run.now(),
    attempt,
  };
}

/** Steps of which something is known that is not stored yet. */
export function unstoredSteps({ state, stored }: Run): Set<string> {
  const fresh = state.steps.filter((record, index) => record !== stored.steps[index]);
  return new Set(fresh.map(({ name }) => name));
}

/**
 * Something that is known must not wait for the ledger: the last write was in the way of others, or
 * it is the outcome of a call that cannot be asked about and must not be repeated.
 */
export function mustBeStoredAlone({ state, stored, plan, wasAborted }: Run): boolean {
  if (state === stored) return false;
  return (
    wasAborted ||
    state.steps.some((record, index) => {
      const step = plan.steps[index];
      return record !== stored.steps[index] && step?.kind === 'call' && step.redo === 'never';
    })
  );
}

/** The signal that a step has waited for in vain, so far. */
export function missingSignal(run: Run, state: SagaState, step: number): string | undefined {
  const record = state.steps[step];
  const signal = record?.status === 'waiting' ? record.waitingFor?.signal : undefined;
  const isMissing = signal !== undefined && run.requests.signals[signal] === undefined;
  return isMissing ? signal : undefined;
}

/** The earlier of two times, either of which may be absent. */
export function earliest(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a <= b ? a : b;
}

/** A step that could not reach our own database has not used up an attempt. */
export function attemptsUsed(attempt: number, error: unknown): number {
  return isPassing(error) ? Math.max(0, attempt - 1) : attempt;
}

/** What a throw is recorded as. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AppError) return { code: error.code, detail: error.detail };
  if (error instanceof InvariantError) {
    return { code: 'poison_operation', detail: `An invariant does not hold: ${error.message}` };
  }
  return { code: 'internal', detail: 'Something went wrong on our side; the log has the reason' };
}
