import { type JobSight, type WaitingOn, waitsOn } from '../kernel/waiting-on.ts';
import { laneNumberOf } from './lane-layout.ts';
import { waitsInLine } from './line.ts';
import { type OperationDoc, acceptedAt } from './operation.ts';
import { isTerminal } from './status.ts';
import { type StepRecord, attemptOf } from './step-record.ts';

/** How a provider's breaker stands. */
export interface ProviderSight {
  readonly name: string;
  readonly state: 'closed' | 'open' | 'held' | 'unknown';
  readonly until?: Date;
}

/** What was looked up beside the operation; what is left out was not looked at, or did not answer. */
export interface WaitingSight {
  readonly now: Date;
  /** Of its lane. `until` has passed, or there is none: nobody consumes it. */
  readonly laneLease?: { readonly owner?: string; readonly until?: Date };
  /** The operation that its line waits for. */
  readonly ahead?: { readonly id: string; readonly until?: Date };
  readonly job?: JobSight;
  /** The provider of the step that comes next. */
  readonly provider?: ProviderSight;
  /** What it waits for is a decision of a person. */
  readonly isForApproval?: boolean;
}

/** Why an operation is not done yet; undefined: it is. Pure. */
export function operationWaitsOn(
  operation: OperationDoc,
  sight: WaitingSight,
): WaitingOn | undefined {
  const { status, lane } = operation;
  if (isTerminal(status)) return undefined;
  if (status === 'needs_attention') return attention(operation);
  if (status === 'accepted') {
    return lane === undefined ? queued(operation, sight) : inLane(operation, lane, sight);
  }
  if (status === 'running') return underWay(operation, sight);
  return status === 'waiting' ? waiting(operation, sight) : goingBack(operation, sight);
}

function goingBack(operation: OperationDoc, sight: WaitingSight): WaitingOn {
  const { leaseUntil, runAt } = operation;
  if (leaseUntil !== undefined) return underWay(operation, sight);
  return runAt === undefined ? queued(operation, sight) : untilItsTime(operation, runAt, sight);
}

function inLane(operation: OperationDoc, lane: number, sight: WaitingSight): WaitingOn {
  const { now, laneLease, ahead, job } = sight;
  const subject = `lane ${laneNumberOf(lane)}`;
  const since = acceptedAt(operation);
  if (laneLease !== undefined && (laneLease.until ?? NEVER) <= now) {
    return waitsOn('lease', `${subject}: no worker holds it`, { since: laneLease.until ?? since });
  }
  if (job === 'away') return waitsOn('redis-away', operation.dispatch.queue, { since });
  if (ahead !== undefined) return waitsOn('line', ahead.id, { since, expectedAt: ahead.until });
  if (job === 'gone') return lost(operation);
  return waitsOn('lane', subject, { since });
}

const NEVER = new Date(0);

/** It stands in no lane: its own job brings it. */
function queued(operation: OperationDoc, { job }: WaitingSight): WaitingOn {
  const { dispatch } = operation;
  const since = dispatch.at;
  if (job === 'away') return waitsOn('redis-away', dispatch.queue, { since });
  if (job === 'gone' || job === 'finished') return lost(operation);
  return waitsOn('queue', dispatch.queue, { since });
}

/** No job stands for it: the sweeper looks when somebody should have moved it. */
function lost({ dispatch, nextCheckAt: expectedAt }: OperationDoc): WaitingOn {
  return waitsOn('recovery', `its job in ${dispatch.queue} is gone`, {
    since: dispatch.at,
    expectedAt,
  });
}

function underWay(operation: OperationDoc, sight: WaitingSight): WaitingOn {
  const { now } = sight;
  const { owner = 'unknown', leaseUntil, nextCheckAt: expectedAt } = operation;
  const [worker = owner] = owner.split('/');
  if (leaseUntil !== undefined && leaseUntil <= now) {
    const subject = `the lease of ${worker} is over`;
    return waitsOn('recovery', subject, { since: leaseUntil, expectedAt });
  }
  const step = currentStep(operation);
  const pausesUntil = step?.status === 'unsure' ? step.retryAt : undefined;
  if (pausesUntil !== undefined && pausesUntil > now) {
    return untilItsTime(operation, pausesUntil, sight);
  }
  return withWorker(operation, worker, sight);
}

/** While a worker pauses between two calls, its document tells of the first. */
function withWorker(operation: OperationDoc, worker: string, sight: WaitingSight): WaitingOn {
  const { provider } = sight;
  const step = currentStep(operation);
  const calledAt = calledSince(step);
  if (calledAt !== undefined && provider !== undefined) {
    const { name, until: expectedAt } = provider;
    const kind = keptBack(provider, step) ?? 'provider';
    return waitsOn(kind, name, { since: calledAt, expectedAt });
  }
  const times = { since: touchedAt(operation), expectedAt: operation.leaseUntil };
  return waitsOn('lease', worker, times);
}

/** When the call under way began. */
function calledSince(step: StepRecord | undefined): Date | undefined {
  if (step?.status === 'undoing') return step.undoStartedAt ?? step.startedAt;
  return step?.status === 'started' ? step.startedAt : undefined;
}

function touchedAt({ updatedAt, dispatch }: OperationDoc): Date {
  return updatedAt ?? dispatch.at;
}

function waiting(operation: OperationDoc, sight: WaitingSight): WaitingOn {
  const { nextCheckAt: expectedAt, runAt, pausedBy } = operation;
  if (pausedBy !== undefined) {
    return waitsOn('pause', pausedBy, {
      since: acceptedAt(operation),
      expectedAt: operation.deadline,
    });
  }
  if (waitsInLine(operation)) return inLine(operation, sight);
  const step = operation.steps?.find(({ status }) => status === 'waiting');
  if (step !== undefined) return forWord(step, sight);
  if (runAt !== undefined) return untilItsTime(operation, runAt, sight);
  return waitsOn('recovery', 'a look at it', { since: touchedAt(operation), expectedAt });
}

function inLine(operation: OperationDoc, { ahead }: WaitingSight): WaitingOn {
  return waitsOn('line', ahead?.id ?? operation.orderingKey, {
    since: acceptedAt(operation),
    expectedAt: ahead?.until ?? operation.nextCheckAt,
  });
}

function forWord(step: StepRecord, { isForApproval }: WaitingSight): WaitingOn {
  const { signal = step.name, until } = step.waitingFor ?? {};
  return waitsOn(isForApproval === true ? 'approval' : 'signal', signal, {
    since: step.waitedSince ?? step.startedAt,
    expectedAt: until,
  });
}

/** It was scheduled, a step is tried again then, or its provider has to be waited for. */
function untilItsTime(operation: OperationDoc, runAt: Date, sight: WaitingSight): WaitingOn {
  const { now, provider } = sight;
  if (runAt <= now) {
    const times = { since: runAt, expectedAt: operation.nextCheckAt };
    return waitsOn('recovery', 'its time has come', times);
  }
  const step = currentStep(operation);
  const times = { since: failedSince(step) ?? touchedAt(operation), expectedAt: runAt };
  const kept = provider === undefined ? undefined : keptBack(provider, step);
  if (provider !== undefined && kept !== undefined) return waitsOn(kept, provider.name, times);
  if (step !== undefined && hasFailed(step)) {
    return waitsOn('retry', `${step.name}, attempt ${attemptOf(step) + 1}`, times);
  }
  if (provider !== undefined && !isScheduled(operation)) {
    return waitsOn('provider', provider.name, times);
  }
  return waitsOn('timer', 'its time', { since: operation.createdAt, expectedAt: runAt });
}

/** Its provider is down, or has asked to be left alone. */
function keptBack(
  { state }: ProviderSight,
  step: StepRecord | undefined,
): 'breaker' | 'rate' | undefined {
  if (state === 'open') return 'breaker';
  return state === 'held' || isThrottled(step) ? 'rate' : undefined;
}

/** The client has named that time, and nothing has begun. */
function isScheduled({ requestedRunAt, runAt, steps = [] }: OperationDoc): boolean {
  return steps.length === 0 && requestedRunAt?.getTime() === runAt?.getTime();
}

function attention(operation: OperationDoc): WaitingOn {
  const { parkings = [], error } = operation;
  const { at = touchedAt(operation), code = error?.code, step } = parkings.at(-1) ?? {};
  return waitsOn('attention', step ?? code ?? 'unknown', { since: at });
}

/** The step that its worker is at, or would be: the last one begun, or the last to be taken back. */
export function currentStep({ steps = [], status }: OperationDoc): StepRecord | undefined {
  if (status !== 'compensating') return steps.at(-1);
  return steps.findLast((step) => step.status === 'undoing') ?? steps.at(-1);
}

function hasFailed({ error, undoError, finishedAt }: StepRecord): boolean {
  return undoError !== undefined || (error !== undefined && finishedAt === undefined);
}

function isThrottled(step: StepRecord | undefined): boolean {
  if (step === undefined || !hasFailed(step)) return false;
  return (step.undoError ?? step.error)?.code === 'provider_throttled';
}

function failedSince(step: StepRecord | undefined): Date | undefined {
  return step?.postponedSince ?? step?.undoFailedAt ?? step?.failedAt;
}
