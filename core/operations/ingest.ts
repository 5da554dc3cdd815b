import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { newOperationId } from '../kernel/ids.ts';
import { present } from '../kernel/assert.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { toAppError } from '../infra/database-errors.ts';
import type { OperationDefinition } from '../saga/define.ts';
import type { OperationStore } from '../saga/operation-store.ts';
import {
  type OperationDoc,
  type OperationJob,
  SAGA_QUEUE,
  laneOf,
  userOrderingKey,
} from '../saga/operation.ts';
import type { JobPublisher } from '../saga/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { requestDifferences, requestHashOf } from './request-identity.ts';
import type { Ingest, Submission, SubmissionContext, SubmissionOutcome } from './submission.ts';

interface IngestDeps {
  readonly store: OperationStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: JobPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  /** Accepted operations waiting for settlement, as last sampled. */
  readonly backlog: () => number;
  /** The queue of a lane. */
  readonly laneQueue: (lane: number) => string;
}

/** A submission waiting for its group, with everything that needs no database worked out. */
interface Ticket {
  readonly submission: Submission;
  readonly context: SubmissionContext;
  readonly requestHash: string;
  /** The call that brought it: its submissions stay together, and so in their order. */
  readonly call: object;
  readonly settle: (outcome: SubmissionOutcome) => void;
}

/**
 * Group commit: what arrives within about 2 ms becomes one `insertMany` and one bulk enqueue, and
 * every request still gets its own outcome. Several groups may be under way at once.
 */
export function createIngest(deps: IngestDeps): Ingest {
  const waiting: Ticket[] = [];
  let groupsInFlight = 0;
  let isScheduled = false;
  let isDraining = false;
  const idle: (() => void)[] = [];

  const pump = (): void => {
    isScheduled = false;
    while (waiting.length > 0 && groupsInFlight < LIMITS.groupCommitsInFlightMax) {
      const group = waiting.splice(0, groupEnd(waiting));
      groupsInFlight += 1;
      commitGroup(deps, group).then(landed, landed);
    }
  };
  const landed = (): void => {
    groupsInFlight -= 1;
    if (waiting.length > 0) schedule(0);
    else if (groupsInFlight === 0) for (const wake of idle.splice(0)) wake();
  };
  const schedule = (delayMs: number): void => {
    if (isScheduled) return;
    isScheduled = true;
    deps.clock.after(delayMs, pump);
  };

  const refusal = (): AppError | undefined => {
    if (isDraining) {
      return new AppError('shutting_down', 'Send the request again', { retryAfterSeconds: 1 });
    }
    const isFull =
      waiting.length >= LIMITS.ingestQueueMax || deps.backlog() >= LIMITS.acceptedBacklogMax;
    return isFull
      ? new AppError('backlog_full', 'More work is waiting than can be settled soon', {
          retryAfterSeconds: 5,
        })
      : undefined;
  };

  return Object.freeze({
    submit: async (submissions: readonly Submission[], context: SubmissionContext) => {
      const error = refusal();
      if (error !== undefined) return submissions.map(() => ({ kind: 'refused' as const, error }));
      const call = {};
      const outcomes = submissions.map(
        (submission) =>
          new Promise<SubmissionOutcome>((settle) => {
            const requestHash = requestHashOf(submission);
            waiting.push({ submission, context, requestHash, call, settle });
          }),
      );
      schedule(waiting.length >= LIMITS.groupCommitSizeMax ? 0 : LIMITS.groupCommitWindowMs);
      return Promise.all(outcomes);
    },
    drain: async () => {
      isDraining = true;
      if (waiting.length === 0 && groupsInFlight === 0) return;
      await new Promise<void>((resolve) => {
        idle.push(resolve);
        schedule(0);
      });
    },
  });
}

/**
 * How many of the waiting make the next group: up to the usual size, and to the end of the call at
 * that point. Two groups of one call would be under way at once, and so in no order.
 */
function groupEnd(waiting: readonly Ticket[]): number {
  let end = Math.min(waiting.length, LIMITS.groupCommitSizeMax);
  while (end < waiting.length && waiting[end]?.call === waiting[end - 1]?.call) end += 1;
  return end;
}

/** Never rejects: every ticket of the group gets its outcome. */
async function commitGroup(deps: IngestDeps, group: readonly Ticket[]): Promise<void> {
  try {
    const time = await deps.databaseTime();
    const followed = await orderingKeysFollowed(deps.store, group);
    const operations = group.map((ticket) => operationOf(deps, { ticket, time, followed }));
    await deps.failpoint('ingest.before-insert');
    const duplicates = await deps.store.insert(operations);
    await deps.failpoint('ingest.after-insert');
    const fresh = operations.filter((_operation, index) => !duplicates.has(index));
    await enqueue(deps, fresh);
    await deps.failpoint('ingest.after-enqueue');
    for (const operation of fresh) deps.metrics.accepted.inc({ type: operation.type });
    deps.metrics.groupSize.observe(group.length);
    deps.logger.debug({ count: fresh.length, replayed: duplicates.size }, 'operations.accepted');
    for (const [index, ticket] of group.entries()) {
      const operation = present(operations[index], 'the operation of a ticket');
      if (!duplicates.has(index)) ticket.settle({ kind: 'accepted', operation });
    }
    // From here on a failure only refuses the repeats: what was stored has been answered.
    const stored = await replaysOf(deps, group, duplicates);
    for (const index of duplicates) {
      const ticket = present(group[index], 'the ticket of a repeat');
      ticket.settle(replay(deps, ticket, stored));
    }
  } catch (error) {
    const refused = toAppError(error);
    deps.logger.warn({ err: error, count: group.length }, 'operations.group.failed');
    for (const ticket of group) ticket.settle({ kind: 'refused', error: refused });
  }
}

interface OperationParts {
  readonly ticket: Ticket;
  readonly time: DatabaseTime;
  readonly followed: ReadonlyMap<string, string>;
}

function operationOf(deps: IngestDeps, { ticket, time, followed }: OperationParts): OperationDoc {
  const { submission, context, requestHash } = ticket;
  const { definition } = submission;
  const orderingKey = orderingKeyOf(ticket, followed);
  const { queue, lane } = placeOf(deps, definition, orderingKey);
  return {
    _id: newOperationId(),
    tenantId: context.tenantId,
    type: definition.type,
    typeVersion: definition.version,
    input: submission.input,
    idempotencyKey: submission.idempotencyKey,
    requestHash,
    ...startOf(submission.runAt, time.now),
    epoch: 0,
    orderingKey,
    ...(lane !== undefined && { lane }),
    stamp: time.stamp,
    dispatch: { queue, seq: 1, at: time.now },
    ...(submission.preconditions !== undefined && { preconditions: submission.preconditions }),
    ...(submission.deadline !== undefined && { deadline: submission.deadline }),
    ...(submission.dryRun === true && { dryRun: true as const }),
    ...(submission.metadata !== undefined && { metadata: submission.metadata }),
    correlationId: context.correlationId,
    ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
    createdAt: time.now,
  };
}

/**
 * What is scheduled waits outside its lane until recovery, whose timers are in the database, lets
 * it in.
 */
function startOf(
  runAt: Date | undefined,
  now: Date,
): Pick<OperationDoc, 'status' | 'nextCheckAt' | 'runAt' | 'requestedRunAt'> {
  const nextCheckAt = new Date(now.getTime() + LIMITS.firstCheckMs);
  if (runAt === undefined) return { status: 'accepted', nextCheckAt };
  if (runAt <= now) return { status: 'accepted', nextCheckAt, requestedRunAt: runAt };
  return { status: 'waiting', nextCheckAt: runAt, runAt, requestedRunAt: runAt };
}

/** Atomic operations stand in a lane; stepwise ones share a queue. */
function placeOf(
  deps: IngestDeps,
  definition: OperationDefinition,
  orderingKey: string,
): { readonly queue: string; readonly lane?: number } {
  if (definition.mode === 'stepwise') return { queue: SAGA_QUEUE };
  const lane = laneOf(orderingKey, LIMITS.lanes);
  return { queue: deps.laneQueue(lane), lane };
}

function orderingKeyOf(ticket: Ticket, followed: ReadonlyMap<string, string>): string {
  const { tenantId } = ticket.context;
  const { orderingKey, definition, input } = ticket.submission;
  if (orderingKey !== undefined) return `${tenantId}|k:${orderingKey}`;
  const { ordering } = definition.bind(input);
  if ('user' in ordering) return userOrderingKey(tenantId, ordering.user);
  return followed.get(`${tenantId}|${ordering.follows}`) ?? `${tenantId}|o:${ordering.follows}`;
}

/** The lines of the operations that this group's reversals, captures and releases follow. */
async function orderingKeysFollowed(
  store: OperationStore,
  group: readonly Ticket[],
): Promise<ReadonlyMap<string, string>> {
  const idsByTenant = new Map<string, string[]>();
  for (const { submission, context } of group) {
    if (submission.orderingKey !== undefined) continue;
    const { ordering } = submission.definition.bind(submission.input);
    if (!('follows' in ordering)) continue;
    const ids = idsByTenant.get(context.tenantId);
    if (ids === undefined) idsByTenant.set(context.tenantId, [ordering.follows]);
    else ids.push(ordering.follows);
  }
  const followed = new Map<string, string>();
  for (const [tenantId, ids] of idsByTenant) {
    for (const [id, key] of await store.orderingKeys(tenantId, ids)) {
      followed.set(`${tenantId}|${id}`, key);
    }
  }
  return followed;
}

/** Bounded; a failure here costs time, not the operation: the sweeper enqueues it later. */
async function enqueue(deps: IngestDeps, fresh: readonly OperationDoc[]): Promise<void> {
  const operations = fresh.filter(({ status }) => status === 'accepted');
  if (operations.length === 0) return;
  try {
    await deps.publisher.publishOperations(operations.map(jobOf));
  } catch (error) {
    for (const operation of operations) {
      deps.metrics.enqueueFailed.inc({ queue: operation.dispatch.queue });
    }
    deps.logger.warn({ err: error, count: operations.length }, 'operations.enqueue.failed');
  }
}

export function jobOf(operation: OperationDoc): OperationJob {
  return {
    queue: operation.dispatch.queue,
    type: operation.type,
    operationId: operation._id,
    tenantId: operation.tenantId,
    seq: operation.dispatch.seq,
    correlationId: operation.correlationId,
    ...(operation.traceparent !== undefined && { traceparent: operation.traceparent }),
  };
}

const REPLAY_READS_MAX = 50;
const REPLAY_PAUSE_MS = 20;

/** The stored operations behind duplicate keys, once they are visible at majority. */
async function replaysOf(
  deps: IngestDeps,
  group: readonly Ticket[],
  duplicates: ReadonlySet<number>,
): Promise<ReadonlyMap<string, OperationDoc>> {
  const found = new Map<string, OperationDoc>();
  let missing = [...duplicates].map((index) => keyOf(present(group[index], 'a ticket')));
  for (let reads = 0; missing.length > 0 && reads < REPLAY_READS_MAX; reads += 1) {
    if (reads > 0) await deps.clock.sleep(REPLAY_PAUSE_MS);
    for (const operation of await deps.store.findByKeys(missing)) {
      found.set(keyText(operation), operation);
    }
    missing = missing.filter((key) => !found.has(keyText(key)));
  }
  return found;
}

interface Key {
  readonly tenantId: string;
  readonly idempotencyKey: string;
}

function keyOf(ticket: Ticket): Key {
  return {
    tenantId: ticket.context.tenantId,
    idempotencyKey: ticket.submission.idempotencyKey,
  };
}

function keyText(key: Key): string {
  return `${key.tenantId}\n${key.idempotencyKey}`;
}

function replay(
  deps: IngestDeps,
  ticket: Ticket,
  stored: ReadonlyMap<string, OperationDoc>,
): SubmissionOutcome {
  const operation = stored.get(keyText(keyOf(ticket)));
  if (operation === undefined) {
    const detail = 'The first request with this key is still being stored; send it again';
    return {
      kind: 'refused',
      error: new AppError('ledger_unavailable', detail, { retryAfterSeconds: 1 }),
    };
  }
  if (operation.requestHash === ticket.requestHash) {
    deps.metrics.replayed.inc({ type: operation.type });
    return { kind: 'replayed', operation };
  }
  const errors = requestDifferences(operation, ticket.submission);
  const detail = `Key "${operation.idempotencyKey}" belongs to ${operation._id}, a different request`;
  return {
    kind: 'refused',
    error: new AppError('idempotency_conflict', detail, {
      errors,
      context: { operationId: operation._id },
    }),
  };
}
