import type { Failure } from '../../core/kernel/errors.ts';
import type { EntryDoc } from '../../core/ledger/documents.ts';
import type { AuditDoc } from '../../core/operations/intervention-store.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { isSettled } from '../../core/operations/status.ts';
import {
  type StepRecord,
  type Try,
  attemptOf,
  wasRefused,
} from '../../core/operations/step-record.ts';
import type { View } from '../contract/parts.ts';
import type { historySchema, timelineEvent } from '../contract/timeline.ts';
import { entryView } from './ledger.ts';

type TimelineEvent = View<typeof timelineEvent>;

interface History {
  readonly entries: readonly EntryDoc[];
  readonly audit: readonly AuditDoc[];
}

/** What happened to an operation, in order, and the entries that it has written. */
export function timelineView(
  operation: OperationDoc,
  { entries, audit }: History,
): View<typeof historySchema> {
  const { steps = [] } = operation;
  // Of one millisecond they stay in this order: causes before what they bring about.
  const between = [
    ...audit.map(interventionEvent),
    ...dispatches(operation),
    ...steps.flatMap(stepEvents),
    ...steps.toReversed().flatMap(undoEvents),
    ...parkings(operation),
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
  const { name, earlier = [], startedAt } = step;
  const tries = earlier.flatMap((one, index) =>
    tryEvents(name, one, earlier[index + 1]?.at ?? startedAt),
  );
  // Renewed by hand: its last attempt stands among the earlier ones.
  if (attemptOf(step) === 0) return [...omitted(step), ...tries];
  const started = startEvent(name, { ...step, attempt: attemptOf(step), at: startedAt });
  const waited = waitEvents(step);
  // A step that has waited has run again since then.
  const ran = step.status === 'waiting' ? [started, ...waited] : [...waited, started];
  return [...omitted(step), ...tries, ...ran, ...endEvents(step)];
}

/** The log of a step is bounded: how many of its oldest attempts are no longer there. */
function omitted({ name, earlier = [], triesDropped }: StepRecord): TimelineEvent[] {
  const [oldest] = earlier;
  if (triesDropped === undefined || oldest === undefined) return [];
  return [
    { at: oldest.at.toISOString(), event: 'step.omitted', step: name, attempts: triesDropped },
  ];
}

type Started = Pick<Try, 'at' | 'attempt' | 'by' | 'asked' | 'answer'>;

function startEvent(step: string, { at, attempt, by, asked, answer }: Started): TimelineEvent {
  return {
    at: at.toISOString(),
    event: asked === true ? 'step.asked' : 'step.started',
    step,
    attempt,
    ...workerOf(by),
    ...(answer !== undefined && { answer }),
  };
}

/** An attempt that did not get through, and when that was known: at the latest with the next. */
function tryEvents(step: string, one: Try, next: Date): TimelineEvent[] {
  const { attempt, by, error, failedAt = next, answer } = one;
  const started = startEvent(step, one);
  if (answer !== undefined) return [started];
  const common = { step, attempt, ...workerOf(by) };
  const failed =
    error === undefined
      ? ({ at: next.toISOString(), event: 'step.interrupted', ...common } as const)
      : ({
          at: failedAt.toISOString(),
          event: 'step.failed',
          ...common,
          ...reasonOf(error),
        } as const);
  return [started, failed];
}

/** It ran, found that it has to wait, and runs again after that. */
function waitEvents({ name, waitedSince, waitingFor }: StepRecord): TimelineEvent[] {
  if (waitedSince === undefined) return [];
  const told = waitingFor === undefined ? {} : { signal: waitingFor.signal };
  const { until } = waitingFor ?? {};
  const limit = until === undefined ? {} : { until: until.toISOString() };
  return [{ at: waitedSince.toISOString(), event: 'step.waiting', step: name, ...told, ...limit }];
}

function endEvents(step: StepRecord): TimelineEvent[] {
  const { name, by, finishedAt, failedAt, startedAt, error, result, retryAt } = step;
  const common = { step: name, attempt: attemptOf(step), ...workerOf(by) };
  if (finishedAt !== undefined) {
    const at = finishedAt.toISOString();
    if (wasRefused(step)) return [{ at, event: 'step.refused', ...common, ...reasonOf(error) }];
    return [{ at, event: 'step.completed', ...common, ...(result !== undefined && { result }) }];
  }
  if (error === undefined) return [];
  const at = (failedAt ?? startedAt).toISOString();
  const isUnsure = step.status === 'unsure' && retryAt !== undefined;
  const retry = isUnsure ? { retryAt: retryAt.toISOString() } : {};
  return [{ at, event: 'step.failed', ...common, ...reasonOf(error), ...retry }];
}

function undoEvents(step: StepRecord): TimelineEvent[] {
  const { name, undoEarlier = [], undoAttempt: attempt, undoBy: by, undoStartedAt: at } = step;
  const tries = undoEarlier.flatMap((one, index) =>
    undoTryEvents(name, one, undoEarlier[index + 1]?.at ?? at),
  );
  if (attempt === undefined || at === undefined) return tries;
  const { undoError, undoFailedAt, undoneAt } = step;
  const common = { step: name, attempt, ...workerOf(by) };
  const ended: TimelineEvent[] =
    undoneAt !== undefined
      ? [{ at: undoneAt.toISOString(), event: 'compensation.completed', ...common }]
      : undoError !== undefined
        ? [
            {
              at: (undoFailedAt ?? at).toISOString(),
              event: 'compensation.failed',
              ...common,
              ...reasonOf(undoError),
            },
          ]
        : [];
  return [...tries, { at: at.toISOString(), event: 'compensation.started', ...common }, ...ended];
}

function undoTryEvents(step: string, one: Try, next: Date | undefined): TimelineEvent[] {
  const { at, attempt, by, error, failedAt = next ?? at } = one;
  const common = { step, attempt, ...workerOf(by) };
  const ended: TimelineEvent = {
    at: failedAt.toISOString(),
    event: error === undefined ? 'compensation.interrupted' : 'compensation.failed',
    ...common,
    ...reasonOf(error),
  };
  return [{ at: at.toISOString(), event: 'compensation.started', ...common }, ended];
}

/** Every time that it was put before a human, whatever has been done about it since. */
function parkings({ parkings: all = [] }: OperationDoc): TimelineEvent[] {
  return all.map(({ at, step, by, code, detail }) => ({
    at: at.toISOString(),
    event: 'parked',
    ...(step !== undefined && { step }),
    ...workerOf(by),
    code,
    detail,
  }));
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
  const { status, settledBy, error, completedAt, updatedAt, parkings: all = [] } = operation;
  const at = completedAt ?? updatedAt;
  // What is parked has its line already, unless older code has parked it.
  const isTold = status === 'needs_attention' && all.length > 0;
  if (!isSettled(status) || isTold || at === undefined) return [];
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
