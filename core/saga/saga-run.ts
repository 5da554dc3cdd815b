import { isPassing } from '../infra/database-errors.ts';
import type { Json } from '../kernel/canonical.ts';
import { AppError, type Failure, InvariantError } from '../kernel/errors.ts';
import type { HeldLease } from './heartbeat.ts';
import type { JournalRef, Requests } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import { type Facts, NEW_SAGA, type SagaState, type StepShape } from './machine.ts';
import type { OperationDoc } from '../operations/operation.ts';
import { type SagaPlan, type Step, type StepContext, hasCompensation } from '../operations/step.ts';
import { LIMITS } from '../../config/limits.ts';

/** One claim being worked on. `state` runs ahead of what is stored by facts, never by intents. */
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
  rev: number;
  /** Others of its line wait for it. */
  isInLine: boolean;
  state: SagaState;
  requests: Requests;
}

export function beginRun(
  claim: Claim,
  plan: SagaPlan,
  tools: { readonly lease: HeldLease; readonly monotonicMs: () => number },
): Run {
  const { operation, epoch, at } = claim;
  const sinceMs = tools.monotonicMs();
  return {
    operation,
    epoch,
    plan,
    shapes: shapesOf(plan),
    lease: tools.lease,
    worker: workerOf(operation),
    now: () => new Date(at.getTime() + Math.round(tools.monotonicMs() - sinceMs)),
    rev: operation.rev ?? 0,
    isInLine: operation.line !== undefined,
    state: stateOf(operation),
    requests: {
      isCancelRequested: operation.cancelRequested !== undefined,
      signals: operation.signals ?? {},
    },
  };
}

/** A claim's owner is `<process>/<token>`. */
function workerOf({ owner = 'unknown' }: OperationDoc): string {
  const [worker = owner] = owner.split('/');
  return worker;
}

function stateOf(operation: OperationDoc): SagaState {
  const { steps, pivotPassed, turnBack, status } = operation;
  return {
    ...NEW_SAGA,
    ...(steps !== undefined && { steps }),
    ...(pivotPassed !== undefined && { pivotPassed }),
    ...(turnBack !== undefined && { turnBack }),
    ...(status === 'compensating' && { status }),
  };
}

function shapesOf({ steps }: SagaPlan): readonly StepShape[] {
  const isStated = steps.some(({ isPivot }) => isPivot === true);
  return steps.map((step, index) => {
    // Where none is stated: the last step, if nothing takes it back. Who cancels after it is late.
    const isLast = index === steps.length - 1 && !hasCompensation(step);
    return shapeOf(step, isStated ? step.isPivot === true : isLast);
  });
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

export function contextOf(run: Run, step: number, attempt: number): StepContext<unknown> {
  const until = run.state.steps[step]?.waitingFor?.until;
  return {
    tenantId: run.operation.tenantId,
    operationId: run.operation._id,
    input: run.operation.input,
    results: resultsOf(run.state),
    signals: run.requests.signals,
    hasWaitExpired: until !== undefined && until <= run.now(),
    attempt,
  };
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
