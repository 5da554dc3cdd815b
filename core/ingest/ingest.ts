import { LIMITS } from '../../config/limits.ts';
import { type Clock, withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { newOperationId } from '../kernel/ids.ts';
import { present } from '../kernel/assert.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { OUTCOME_UNKNOWN, toAppError } from '../infra/database-errors.ts';
import type { OperationDefinition } from '../operations/define.ts';
import { type OperationStore, UNSTAMPED } from '../operations/operation-store.ts';
import {
  type OperationDoc,
  SAGA_QUEUE,
  jobIdOf,
  jobOf,
  userOrderingKey,
} from '../operations/operation.ts';
import { laneNumberOf, storedLaneOf } from '../operations/lane-layout.ts';
import type { JobPublisher } from '../operations/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Tracer, noTracer } from '../telemetry/tracer.ts';
import { traceAccepted } from './trace-accepted.ts';
import { createGroupCommit } from './group-commit.ts';
import { replay, replaysOf } from './replay.ts';
import { requestHashOf } from './request-identity.ts';
import { createShares } from './shares.ts';
import type { Ingest, Submission, SubmissionContext, SubmissionOutcome } from './submission.ts';

interface IngestDeps {
  readonly store: OperationStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: JobPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  readonly tracer?: Tracer;
  /** Whether so much has been accepted already that nothing more is taken of the tenant. */
  readonly backlog: (tenantId: string, count: number) => boolean;
  /** How many lanes there are. */
  readonly lanes: number;
  /** The queue of a lane, by its number. */
  readonly laneQueue: (lane: number) => string;
  /** By default LIMITS; tests are in a hurry. */
  readonly answerMs?: number;
}

/** A submission waiting for its group, with everything that needs no database worked out. */
interface Ticket {
  readonly submission: Submission;
  readonly context: SubmissionContext;
  readonly requestHash: string;
  /** The first outcome is the answer; what comes after it changes nothing. */
  readonly settle: (outcome: SubmissionOutcome) => void;
  /** `sent`: from here on it may be stored. `given-up`: never sent any more. */
  stage: 'waiting' | 'sent' | 'given-up';
}

/**
 * What arrives within about 2 ms becomes one `insertMany` and one enqueue, and every request still
 * gets its own outcome.
 */
export function createIngest(deps: IngestDeps): Ingest {
  const { answerMs = LIMITS.ingestAnswerMs } = deps;
  let isDraining = false;
  /** Of what waits for a group. */
  const shares = createShares(LIMITS.ingestQueueMax);
  const groups = createGroupCommit<Ticket>({
    clock: deps.clock,
    commit: (group) => {
      for (const { context } of group) shares.giveBack(context.tenantId, 1);
      return commitGroup(deps, group);
    },
  });

  const refusal = (tenantId: string, count: number): AppError | undefined => {
    if (isDraining) {
      return new AppError('shutting_down', 'Send the request again', { retryAfterSeconds: 1 });
    }
    return shares.isFullFor(tenantId) || deps.backlog(tenantId, count)
      ? new AppError('backlog_full', 'More work is waiting than can be settled soon', {
          retryAfterSeconds: 5,
        })
      : undefined;
  };

  return Object.freeze({
    submit: async (submissions: readonly Submission[], context: SubmissionContext) => {
      const { tenantId } = context;
      const error = refusal(tenantId, submissions.length);
      if (error !== undefined) return submissions.map(() => ({ kind: 'refused' as const, error }));
      const tickets: Ticket[] = [];
      const outcomes = submissions.map(
        (submission) =>
          new Promise<SubmissionOutcome>((settle) => {
            const requestHash = requestHashOf(submission);
            tickets.push({ submission, context, requestHash, settle, stage: 'waiting' });
          }),
      );
      shares.take(tenantId, tickets.length);
      groups.add(tickets);
      const answered = Promise.all(outcomes);
      return withTimeout(answered, answerMs, tooLate).catch(async () => {
        for (const ticket of tickets) giveUp(ticket);
        return answered;
      });
    },
    drain: async () => {
      isDraining = true;
      await groups.drain();
    },
  });
}

function tooLate(): AppError {
  return new AppError('timeout', 'The group did not land in time');
}

/**
 * Nobody waits for a database that stalls. What has not left this process never will; what has may
 * be stored yet, and then settles like everything that was accepted: its group goes on without us,
 * and keeps its place until it has landed.
 */
function giveUp(ticket: Ticket): void {
  const isUnknown = ticket.stage === 'sent';
  if (!isUnknown) ticket.stage = 'given-up';
  const error = new AppError('ledger_unavailable', isUnknown ? OUTCOME_UNKNOWN : NOT_STORED, {
    retryAfterSeconds: 1,
  });
  ticket.settle({ kind: 'refused', error });
}

const NOT_STORED = 'The database did not answer in time, and nothing was stored; send it again';

/**
 * Never rejects: every ticket of the group gets its outcome, as soon as its operation is stored. The
 * enqueue is under way by then and keeps the group's place, but nobody's answer waits for Redis.
 */
async function commitGroup(deps: IngestDeps, taken: readonly Ticket[]): Promise<void> {
  let enqueued: Promise<void> | undefined;
  const startMs = deps.clock.now();
  let group = taken.filter(isWanted);
  if (group.length === 0) return;
  try {
    const time = await deps.databaseTime();
    const followed = await orderingKeysFollowed(deps.store, group);
    await deps.failpoint('ingest.before-insert');
    group = group.filter(isWanted);
    const jobs = createJobSharing();
    const operations = group.map((ticket) => operationOf(deps, { ticket, time, followed, jobs }));
    for (const ticket of group) ticket.stage = 'sent';
    const duplicates = await deps.store.insert(operations);
    await deps.failpoint('ingest.after-insert');
    const fresh = operations.filter((_operation, index) => !duplicates.has(index));
    traceAccepted(deps.tracer ?? noTracer, fresh, { startMs, groupSize: group.length });
    enqueued = enqueue(deps, fresh);
    for (const operation of fresh) deps.metrics.accepted.inc({ type: operation.type });
    deps.metrics.groupSize.observe(group.length);
    deps.logger.debug({ count: fresh.length, replayed: duplicates.size }, 'operations.accepted');
    for (const [index, ticket] of group.entries()) {
      const operation = present(operations[index], 'the operation of a ticket');
      if (!duplicates.has(index)) ticket.settle({ kind: 'accepted', operation });
    }
    // From here on a failure only refuses the repeats: what was stored has been answered.
    const repeats = group.filter((_ticket, index) => duplicates.has(index));
    const stored = await replaysOf(deps, repeats);
    for (const ticket of repeats) ticket.settle(replay(deps, ticket, stored));
  } catch (error) {
    const refused = toAppError(error);
    deps.logger.warn({ err: error, count: group.length }, 'operations.group.failed');
    for (const ticket of group) ticket.settle({ kind: 'refused', error: refused });
  }
  await enqueued;
}

function isWanted({ stage }: Ticket): boolean {
  return stage !== 'given-up';
}

interface OperationParts {
  readonly ticket: Ticket;
  readonly time: DatabaseTime;
  readonly followed: ReadonlyMap<string, string>;
  readonly jobs: JobSharing;
}

function operationOf(
  deps: IngestDeps,
  { ticket, time, followed, jobs }: OperationParts,
): OperationDoc {
  const { submission, context, requestHash } = ticket;
  const { definition } = submission;
  const orderingKey = orderingKeyOf(ticket, followed);
  const { queue, lane } = placeOf(deps, definition, orderingKey);
  const start = startOf(submission.runAt, time.now);
  const _id = newOperationId();
  const isShared = lane !== undefined && start.status === 'accepted';
  const job = isShared ? jobs.join(queue, _id) : undefined;
  return {
    _id,
    tenantId: context.tenantId,
    type: definition.type,
    typeVersion: definition.version,
    ...partsOf(submission),
    input: submission.input,
    idempotencyKey: submission.idempotencyKey,
    requestHash,
    ...start,
    epoch: 0,
    orderingKey,
    ...(lane !== undefined && { lane }),
    stamp: UNSTAMPED,
    ...linesOf(ticket, { orderingKey, isScheduled: start.status === 'waiting' }),
    dispatch: { queue, seq: 1, at: time.now, ...(job !== undefined && { job }) },
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
 * Where else than in a lane it stands. What is scheduled takes its place in line when its time has
 * come, not before.
 */
function linesOf(
  { submission, context: { tenantId } }: Ticket,
  { orderingKey, isScheduled }: { readonly orderingKey: string; readonly isScheduled: boolean },
): Pick<OperationDoc, 'line' | 'creates' | 'userLine'> {
  const { ordering, creates } = submission.definition.bind(submission.input);
  const lineOf = (userId: string): string => userOrderingKey(tenantId, userId);
  if (submission.definition.mode === 'stepwise') {
    const userLine = 'user' in ordering ? lineOf(ordering.user) : orderingKey;
    return {
      ...(!isScheduled && { line: orderingKey }),
      ...(userLine !== orderingKey && { userLine }),
    };
  }
  const elsewhere = creates.map(lineOf).filter((line) => line !== orderingKey);
  return elsewhere.length === 0 ? {} : { creates: elsewhere };
}

/** As they are now: later versions must not read what was accepted under these. */
function partsOf({ definition, input }: Submission): Pick<OperationDoc, 'partVersions'> {
  const parts = definition.partVersions?.(input) ?? {};
  return Object.keys(parts).length === 0 ? {} : { partVersions: parts };
}

interface JobSharing {
  /** The id of the job that an operation shares, or undefined when its own is the first. */
  join(queue: string, operationId: string): string | undefined;
}

/**
 * The operations of a group that stand in one lane share a job, which bears the name of the first
 * (whether or not that turns out to be a repeat and is not stored).
 */
function createJobSharing(): JobSharing {
  const leads = new Map<string, { readonly id: string; count: number }>();
  return {
    join: (queue, operationId) => {
      const lead = leads.get(queue);
      if (lead === undefined || lead.count >= LIMITS.jobOperationsMax) {
        leads.set(queue, { id: jobIdOf(operationId, 1), count: 1 });
        return undefined;
      }
      lead.count += 1;
      return lead.id;
    },
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
  const lane = storedLaneOf(orderingKey, deps.lanes);
  return { queue: deps.laneQueue(laneNumberOf(lane)), lane };
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

/** Bounded, never rejects: a failure costs time, not the operation, which the sweeper enqueues. */
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
