import type { Json } from '../core/kernel/canonical.ts';
import type { EntryDoc } from '../core/ledger/documents.ts';
import type { Registry } from '../core/operations/registry.ts';
import type { OperationDoc } from '../core/saga/operation.ts';
import { isSettled } from '../core/saga/status.ts';
import { entryView } from './ledger-views.ts';
import { type Problem, problemOf } from './problem.ts';

/** `/v1/operations/<id>` */
export function operationPath(id: string): string {
  return `/v1/operations/${id}`;
}

/** An operation as clients see it. */
export function operationView(operation: OperationDoc, registry: Registry) {
  const { preconditions, deadline } = operation;
  const conditions = {
    ...preconditions,
    ...(deadline !== undefined && { expiresAt: deadline.toISOString() }),
  };
  const result = resultOf(operation, registry);
  const error = errorOf(operation);
  const self = operationPath(operation._id);
  return {
    id: operation._id,
    type: operation.type,
    status: operation.status,
    input: operation.input,
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
    ...(Object.keys(conditions).length > 0 && { preconditions: conditions }),
    ...(operation.dryRun === true && { dryRun: true }),
    ...(operation.metadata !== undefined && { metadata: operation.metadata }),
    idempotencyKey: operation.idempotencyKey,
    correlationId: operation.correlationId,
    createdAt: operation.createdAt.toISOString(),
    ...(operation.completedAt !== undefined && {
      completedAt: operation.completedAt.toISOString(),
    }),
    links: { self, timeline: `${self}/timeline` },
  };
}

/** `Prefer: return=minimal`: what a bulk client needs to go on. */
export function operationBrief({ _id, status, error }: OperationDoc) {
  const { code, detail } = error ?? {};
  return { id: _id, status, ...(code !== undefined && { error: { code, detail } }) };
}

/** 200 when the document is final, 202 while the outcome is open. */
export function statusOfOperation({ status }: OperationDoc): 200 | 202 {
  return isSettled(status) ? 200 : 202;
}

/** What follows from the input and is not stored, merged with what is. */
function resultOf(operation: OperationDoc, registry: Registry): Json | undefined {
  const { status, result, dryRun } = operation;
  // A dry run created nothing that could be named.
  if (status !== 'succeeded' || dryRun === true) return result;
  const described = describedBy(operation, registry);
  if (result === undefined) return Object.keys(described).length === 0 ? undefined : described;
  return isObject(result) ? { ...described, ...result } : result;
}

function describedBy(
  { type, typeVersion, input, _id }: OperationDoc,
  registry: Registry,
): Readonly<Record<string, Json>> {
  const definition = Object.hasOwn(registry, type) ? registry[type] : undefined;
  // Another version of the type may describe itself otherwise.
  return definition?.version === typeVersion ? definition.bind(input).describe(_id) : {};
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The refusal, in the same form as the problem document that a refused request gets. */
function errorOf({ error, _id, correlationId }: OperationDoc): Problem | undefined {
  return error === undefined
    ? undefined
    : problemOf(error, { instance: operationPath(_id), operationId: _id, correlationId });
}

interface TimelineEvent {
  readonly at: string;
  readonly event: 'accepted' | 'enqueued' | 'recovered' | 'settled';
  readonly [detail: string]: unknown;
}

/** What happened to an operation, in order, and the entries that it has written. */
export function timelineView(operation: OperationDoc, entries: readonly EntryDoc[]) {
  return {
    operationId: operation._id,
    type: operation.type,
    status: operation.status,
    correlationId: operation.correlationId,
    ...(operation.traceparent !== undefined && { traceparent: operation.traceparent }),
    events: [...acceptance(operation), ...recoveries(operation), ...outcome(operation)],
    entries: entries.map(entryView),
  };
}

function acceptance({ createdAt, dispatch, recoveries: times }: OperationDoc): TimelineEvent[] {
  const at = createdAt.toISOString();
  const first = (times ?? 0) === 0 ? dispatch.at.toISOString() : at;
  return [
    { at, event: 'accepted' },
    { at: first, event: 'enqueued', queue: dispatch.queue, jobSeq: 1 },
  ];
}

/** Of several, the record keeps the number and the last. */
function recoveries({ dispatch, recoveries: times = 0 }: OperationDoc): TimelineEvent[] {
  if (times === 0) return [];
  const { at, queue, seq } = dispatch;
  return [{ at: at.toISOString(), event: 'recovered', queue, jobSeq: seq, times }];
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
      ...(settledBy !== undefined && { worker: settledBy.worker, batch: settledBy.batch }),
      ...(error !== undefined && { code: error.code, detail: error.detail }),
    },
  ];
}
