import type { Failure } from '../core/kernel/errors.ts';
import type { EntryDoc } from '../core/ledger/documents.ts';
import type { AuditDoc } from '../core/saga/intervention-store.ts';
import type { OperationDoc } from '../core/saga/operation.ts';
import { isSettled } from '../core/saga/status.ts';
import type { StepRecord, Try } from '../core/saga/step-record.ts';
import { entryView } from './ledger-views.ts';

interface TimelineEvent {
  readonly at: string;
  readonly event:
    | 'accepted'
    | 'scheduled'
    | 'enqueued'
    | 'recovered'
    | `step.${'started' | 'completed' | 'refused' | 'failed' | 'interrupted' | 'waiting'}`
    | `compensation.${'started' | 'completed' | 'failed'}`
    | 'signal.received'
    | 'cancel.requested'
    | 'retried'
    | 'resolved'
    | 'settled';
  readonly [detail: string]: unknown;
}

interface History {
  readonly entries: readonly EntryDoc[];
  readonly audit: readonly AuditDoc[];
}

/** What happened to an operation, in order, and the entries that it has written. */
export function timelineView(operation: OperationDoc, { entries, audit }: History) {
  const { steps = [] } = operation;
  // Of one millisecond they stay in this order: causes before what they bring about.
  const between = [
    ...audit.map(interventionEvent),
    ...dispatches(operation),
    ...steps.flatMap(stepEvents),
    ...steps.toReversed().flatMap(undoEvents),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return {
    operationId: operation._id,
    type: operation.type,
    status: operation.status,
    correlationId: operation.correlationId,
    ...(operation.traceparent !== undefined && { traceparent: operation.traceparent }),
    events: [...acceptance(operation), ...between, ...outcome(operation)],
    entries: entries.map(entryView),
  };
}

function acceptance({ createdAt, dispatch, requestedRunAt }: OperationDoc): TimelineEvent[] {
  const at = createdAt.toISOString();
  const accepted = { at, event: 'accepted' } as const;
  if (requestedRunAt !== undefined && requestedRunAt > createdAt) {
    return [accepted, { at, event: 'scheduled', runAt: requestedRunAt.toISOString() }];
  }
  return [accepted, { at, event: 'enqueued', queue: dispatch.queue, jobSeq: 1 }];
}

/** Of several, the record keeps the number and the last. */
function dispatches({ dispatch, recoveries: times = 0 }: OperationDoc): TimelineEvent[] {
  const { at, queue, seq } = dispatch;
  if (seq === 1) return [];
  const again = { at: at.toISOString(), queue, jobSeq: seq };
  return [times === 0 ? { ...again, event: 'enqueued' } : { ...again, event: 'recovered', times }];
}

function stepEvents(step: StepRecord): TimelineEvent[] {
  const { name, earlier = [], attempt, by, startedAt } = step;
  const tries = earlier.flatMap((one, index) =>
    tryEvents(name, one, earlier[index + 1]?.at ?? startedAt),
  );
  const started: TimelineEvent = {
    at: startedAt.toISOString(),
    event: 'step.started',
    step: name,
    attempt,
    ...workerOf(by),
  };
  const waited = waitEvents(step);
  // A step that has waited has run again since then.
  const ran = step.status === 'waiting' ? [started, ...waited] : [...waited, started];
  return [...tries, ...ran, ...endEvents(step)];
}

/** An attempt that did not get through, and when that was known: at the latest with the next. */
function tryEvents(step: string, { attempt, at, by, error }: Try, next: Date): TimelineEvent[] {
  const common = { step, attempt, ...workerOf(by) };
  const failed =
    error === undefined
      ? ({ event: 'step.interrupted', ...common } as const)
      : ({ event: 'step.failed', ...common, ...reasonOf(error) } as const);
  return [
    { at: at.toISOString(), event: 'step.started', ...common },
    { at: next.toISOString(), ...failed },
  ];
}

/** It ran, found that it has to wait, and runs again after that. */
function waitEvents({ name, waitedSince, waitingFor }: StepRecord): TimelineEvent[] {
  if (waitedSince === undefined) return [];
  const { signal, until } = waitingFor ?? {};
  const limit = until === undefined ? {} : { until: until.toISOString() };
  return [{ at: waitedSince.toISOString(), event: 'step.waiting', step: name, signal, ...limit }];
}

function endEvents(step: StepRecord): TimelineEvent[] {
  const { name, attempt, by, finishedAt, startedAt, error, result } = step;
  const common = { step: name, attempt, ...workerOf(by) };
  if (finishedAt !== undefined) {
    const at = finishedAt.toISOString();
    if (step.status === 'refused') {
      return [{ at, event: 'step.refused', ...common, ...reasonOf(error) }];
    }
    return [{ at, event: 'step.completed', ...common, ...(result !== undefined && { result }) }];
  }
  if (step.status !== 'unsure') return [];
  const at = startedAt.toISOString();
  const retry = step.retryAt === undefined ? {} : { retryAt: step.retryAt.toISOString() };
  return [{ at, event: 'step.failed', ...common, ...reasonOf(error), ...retry }];
}

function undoEvents(step: StepRecord): TimelineEvent[] {
  const { name, status, undoAttempt, undoBy, undoStartedAt, undoneAt, error } = step;
  const common = { step: name, attempt: undoAttempt, ...workerOf(undoBy) };
  const started = undoStartedAt?.toISOString();
  return [
    ...(started === undefined
      ? []
      : [{ at: started, event: 'compensation.started', ...common } as const]),
    ...(started !== undefined && status === 'undoing' && error !== undefined
      ? [{ at: started, event: 'compensation.failed', ...common, ...reasonOf(error) } as const]
      : []),
    ...(undoneAt === undefined
      ? []
      : [{ at: undoneAt.toISOString(), event: 'compensation.completed', ...common } as const]),
  ];
}

const INTERVENED = {
  signal: 'signal.received',
  cancel: 'cancel.requested',
  retry: 'retried',
  resolve: 'resolved',
} as const satisfies Record<AuditDoc['action'], TimelineEvent['event']>;

function interventionEvent(line: AuditDoc): TimelineEvent {
  const { action, actor, note, name, data, assume, direction, before, after, at } = line;
  return {
    at: at.toISOString(),
    event: INTERVENED[action],
    actor,
    ...(name !== undefined && { signal: name }),
    ...(data !== undefined && { data }),
    ...(note !== undefined && { note }),
    ...(assume !== undefined && { assume }),
    ...(direction !== undefined && { direction }),
    before,
    after,
  };
}

function outcome(operation: OperationDoc): TimelineEvent[] {
  const { status, settledBy, error, completedAt, updatedAt } = operation;
  const at = completedAt ?? updatedAt;
  if (!isSettled(status) || at === undefined) return [];
  return [
    {
      at: at.toISOString(),
      event: 'settled',
      status,
      ...settledBy,
      ...(error !== undefined && reasonOf(error)),
    },
  ];
}

function workerOf(by: string | undefined) {
  return by === undefined ? {} : { worker: by };
}

function reasonOf(error: Failure | undefined) {
  return error === undefined ? {} : { code: error.code, detail: error.detail };
}
