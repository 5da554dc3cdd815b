import type { Json } from '../../core/kernel/canonical.ts';
import type { Registry } from '../../core/operations/define.ts';
import { versionOf } from '../../core/operations/versions.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { isSettled } from '../../core/operations/status.ts';
import type { StepRecord } from '../../core/operations/step-record.ts';
import type {
  operationBriefSchema,
  operationListItem,
  operationSchema,
} from '../contract/operation.ts';
import type { View } from '../contract/parts.ts';
import { type Problem, problemOf } from '../http/problem.ts';

/** `/v1/operations/<id>` */
export function operationPath(id: string): string {
  return `/v1/operations/${id}`;
}

/** An operation as clients see it. */
export function operationView(
  operation: OperationDoc,
  registry: Registry,
): View<typeof operationSchema> {
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
    ...timesOf(operation),
    ...progressOf(operation),
    ...requestsOf(operation),
    idempotencyKey: operation.idempotencyKey,
    correlationId: operation.correlationId,
    createdAt: operation.createdAt.toISOString(),
    ...(operation.completedAt !== undefined && {
      completedAt: operation.completedAt.toISOString(),
    }),
    links: { self, timeline: `${self}/timeline` },
  };
}

/** When it may run, and until when; `runAt` moves with retries and waits. */
function timesOf({ runAt, deadline }: OperationDoc) {
  return {
    ...(runAt !== undefined && { runAt: runAt.toISOString() }),
    ...(deadline !== undefined && { deadline: deadline.toISOString() }),
  };
}

/** How far a stepwise operation has come. */
function progressOf({ steps = [], status }: OperationDoc) {
  const waiting = steps.find((step) => step.status === 'waiting');
  const { signal, until } = waiting?.waitingFor ?? {};
  return {
    ...(status === 'waiting' &&
      signal !== undefined && {
        waitingFor: {
          signal,
          ...(waiting !== undefined && { step: waiting.name }),
          ...(until !== undefined && { until: until.toISOString() }),
        },
      }),
    ...(steps.length > 0 && { steps: steps.map(stepView) }),
  };
}

function stepView({ name, status, attempt, startedAt, finishedAt, ...step }: StepRecord) {
  const { by, result, error = step.undoError, retryAt, undoAttempt, undoneAt } = step;
  return {
    name,
    status,
    attempt,
    ...(by !== undefined && { worker: by }),
    startedAt: startedAt.toISOString(),
    ...(finishedAt !== undefined && { finishedAt: finishedAt.toISOString() }),
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error: { code: error.code, detail: error.detail } }),
    ...(retryAt !== undefined && { retryAt: retryAt.toISOString() }),
    ...(undoAttempt !== undefined && { undoAttempt }),
    ...(undoneAt !== undefined && { undoneAt: undoneAt.toISOString() }),
  };
}

/** What has been asked of it from outside. */
function requestsOf({ signals, cancelRequested, resolution }: OperationDoc) {
  return {
    ...(signals !== undefined && {
      signals: Object.fromEntries(
        Object.entries(signals).map(([name, { data, at, by }]) => [
          name,
          { data, at: at.toISOString(), by },
        ]),
      ),
    }),
    ...(cancelRequested !== undefined && {
      cancelRequested: { at: cancelRequested.at.toISOString(), by: cancelRequested.by },
    }),
    ...(resolution !== undefined && {
      resolution: { ...resolution, at: resolution.at.toISOString() },
    }),
  };
}

/** As in lists: without steps and signals, and a batch without its input and what follows from it. */
export function operationListView(
  operation: OperationDoc,
  registry: Registry,
): View<typeof operationListItem> {
  if (operation.type !== 'batch') {
    const { steps: _steps, signals: _signals, ...shown } = operationView(operation, registry);
    return shown;
  }
  const { input: _input, ...shown } = operationView(operation, NOTHING_DESCRIBED);
  return shown;
}

const NOTHING_DESCRIBED: Registry = {};

/** `Prefer: return=minimal`: what a bulk client needs to go on. */
export function operationBrief({
  _id,
  status,
  error,
}: OperationDoc): View<typeof operationBriefSchema> {
  const { code, detail } = error ?? {};
  const told = code === undefined || detail === undefined ? {} : { error: { code, detail } };
  return { id: _id, status, ...told };
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

function describedBy(operation: OperationDoc, registry: Registry): Readonly<Record<string, Json>> {
  const { input, partVersions = {}, _id } = operation;
  const found = versionOf(registry, operation);
  return found.kind === 'known' ? found.definition.bind(input, partVersions).describe(_id) : {};
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The refusal, in the same form as the problem document that a refused request gets. Never
 * retryable: the same request under the same key gets this very operation.
 */
function errorOf({ error, _id, correlationId }: OperationDoc): Problem | undefined {
  if (error === undefined) return undefined;
  const context = { instance: operationPath(_id), operationId: _id, correlationId };
  return { ...problemOf(error, context), retryable: false };
}
