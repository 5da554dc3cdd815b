import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Env, redisUrls } from '../config/env.ts';
import { LIMITS } from '../config/limits.ts';
import { present } from '../core/kernel/assert.ts';
import { type Clock, withTimeout } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import { closeRedis, openRedis } from '../core/infra/redis.ts';
import { type DeliveryJob, deliveryJobId } from '../core/notifications/delivery/delivery.ts';
import type { Channel } from '../core/notifications/ports.ts';
import type { DeliveryPublisher } from '../core/notifications/delivery/publisher.ts';
import type { OperationJob } from '../core/operations/operation.ts';
import type { JobPublisher } from '../core/operations/ports.ts';
import type { JobPresence } from '../core/events/job-presence.ts';
import type { Logger } from '../core/telemetry/logger.ts';
import {
  type QueueName,
  deliveriesOf,
  deliveryPayload,
  notifyQueue,
  queueSpecOf,
  queuesWith,
} from './catalog.ts';
import {
  type JobSpec,
  type RowRef,
  deliveryJobSpec,
  deliveryJobs,
  eventsJobSpec,
  operationsJobSpec,
  sharedJobs,
} from './job-specs.ts';
import { allOf } from '../core/kernel/every.ts';

export interface Queues {
  readonly byName: ReadonlyMap<QueueName, Queue>;
  readonly publisher: JobPublisher & DeliveryPublisher;
  readonly connection: Redis;
  close(): Promise<void>;
}

interface QueuesDeps {
  readonly env: Env;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Opens the producing side of every queue over one connection. */
export function openQueues({ env, logger, clock }: QueuesDeps): Queues {
  const onError = (err: Error): void => {
    logger.debug({ err }, 'redis.queue.error');
  };
  const connection = openRedis({
    url: redisUrls(env).queue,
    name: 'producer',
    whenAway: 'wait',
    onError,
  });
  const byName = new Map<QueueName, Queue>();
  /** Those of the setting at once; of other numbers of lanes, where something is left in them. */
  const open = (name: QueueName): Queue => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    const spec = present(queueSpecOf(name), `queue ${name} of the catalogue`);
    const queue = new Queue(name, {
      connection,
      prefix: env.QUEUE_PREFIX,
      skipWaitingForReady: true,
      defaultJobOptions: {
        attempts: spec.attempts,
        backoff: { ...spec.backoff },
        removeOnComplete: { ...spec.removeOnComplete },
        removeOnFail: { ...spec.removeOnFail },
        stackTraceLimit: 5,
      },
      streams: { events: { maxLen: 1_000 } },
    });
    queue.on('error', onError);
    byName.set(name, queue);
    return queue;
  };
  for (const name of queuesWith(env.SETTLEMENT_LANES).keys()) open(name);
  return Object.freeze({
    byName,
    connection,
    publisher: createPublisher({ open, redis: connection, clock }),
    close: async () => {
      await Promise.all([...byName.values()].map((queue) => queue.close().catch(onError)));
      await closeRedis(connection);
    },
  });
}

interface JobRef {
  readonly queue: string;
  readonly id: string;
}

interface PublisherDeps {
  readonly open: (name: QueueName) => Queue;
  readonly redis: Redis;
  readonly clock: Clock;
}

function createPublisher(deps: PublisherDeps): JobPublisher & DeliveryPublisher {
  const { open, redis, clock } = deps;
  const queueOf = (name: string): Queue => open(name as QueueName);

  const addAll = async (queue: Queue, jobs: JobSpec[]): Promise<void> => {
    const [first, ...others] = jobs;
    // The usual case, a job for each lane, without the pipeline of a bulk call, which costs twice.
    const isOne = first !== undefined && others.length === 0;
    const added = isOne
      ? [await queue.add(first.name, first.data, first.opts)]
      : await queue.addBulk(jobs);
    // A pipeline, not a transaction: a refused item comes back with a code for its id.
    const isComplete = allOf(added, (job, index) => job.id === jobs[index]?.opts.jobId);
    if (!isComplete) throw new AppError('queue_unavailable', 'Redis took only some of the jobs');
  };
  const notConnected = (): AppError =>
    new AppError('queue_unavailable', `Redis is not connected (${redis.status})`);
  // A Redis that hangs is asked again once a second, so that neither requests nor memory pile up.
  let suspendedUntilMs = 0;
  const guarded = async (work: () => Promise<unknown>): Promise<void> => {
    if (redis.status !== 'ready') throw notConnected();
    if (clock.monotonicMs() < suspendedUntilMs) {
      throw new AppError('queue_unavailable', 'Redis did not answer a moment ago');
    }
    try {
      await withTimeout(work(), LIMITS.enqueueTimeoutMs, () => {
        suspendedUntilMs = clock.monotonicMs() + LIMITS.enqueuePauseMs;
        return new AppError('queue_unavailable', 'Redis did not answer in time');
      });
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('queue_unavailable', 'Redis refused the jobs', { cause });
    }
  };

  /** For recovery, which nobody waits for: a Redis that is slow must not end every sweep. */
  const unhurried = async (work: () => Promise<unknown>): Promise<void> => {
    if (redis.status !== 'ready') throw notConnected();
    try {
      await withTimeout(
        work(),
        LIMITS.redisCommandMs,
        () => new AppError('queue_unavailable', 'Redis did not answer in time'),
      );
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('queue_unavailable', 'Redis refused the question', { cause });
    }
  };

  const publishEvents = async (rows: readonly RowRef[]): Promise<void> => {
    await guarded(() => addAll(queueOf('events'), rows.map(eventsJobSpec)));
  };

  const addEach = async (specs: readonly (readonly [queue: string, JobSpec])[]): Promise<void> => {
    const byQueue = new Map<string, JobSpec[]>();
    for (const [queue, spec] of specs) {
      const list = byQueue.get(queue);
      if (list === undefined) byQueue.set(queue, [spec]);
      else list.push(spec);
    }
    await guarded(() => {
      writeTogether(redis);
      return Promise.all([...byQueue].map(([name, list]) => addAll(queueOf(name), list)));
    });
  };
  const find = async (jobs: readonly JobRef[]): Promise<readonly JobPresence[]> => {
    const states = new Map<string, JobPresence>();
    await unhurried(() =>
      Promise.all(
        [...new Map(jobs.map((job) => [job.id, job])).values()].map(async ({ queue, id }) => {
          states.set(id, presenceOf(await queueOf(queue).getJobState(id)));
        }),
      ),
    );
    return jobs.map(({ id }) => states.get(id) ?? 'gone');
  };

  const nextJobs = async (queue: string, max: number): Promise<readonly string[]> => {
    let ids: readonly string[] = [];
    await unhurried(async () => {
      ids = await queueOf(queue).getRanges(['wait'], 0, max - 1, true);
    });
    return ids;
  };

  /** The first one of each of the jobs that come next. */
  const nextDeliveries = async (queue: QueueName, max: number): Promise<readonly string[]> => {
    let next: readonly string[] = [];
    await unhurried(async () => {
      const jobs = await queueOf(queue).getJobs(['wait'], 0, max - 1, true);
      next = jobs.flatMap(firstDeliveryOf);
    });
    return next;
  };

  const dueTimes = async (jobs: readonly JobRef[]): Promise<ReadonlyMap<string, number>> => {
    const due = new Map<string, number>();
    await unhurried(() =>
      Promise.all(
        jobs.map(async ({ queue, id }) => {
          const score = await redis.zscore(queueOf(queue).toKey('delayed'), id);
          if (score !== null) due.set(id, Number(score) / DELAYED_SCORE_PER_MS);
        }),
      ),
    );
    return due;
  };

  return Object.freeze({
    publishOperations: (jobs: readonly OperationJob[]) =>
      addEach(sharedJobs(jobs).map((shared) => [shared[0].queue, operationsJobSpec(shared)])),
    publishDeliveries: (jobs: readonly DeliveryJob[]) =>
      addEach(
        deliveryJobs(jobs).map(
          (shared) =>
            [notifyQueue(shared[0].channel), deliveryJobSpec(shared, clock.now())] as const,
        ),
      ),
    publishEvents,
    republishEvents: async (rows: readonly RowRef[]) => {
      await publishEvents(rows);
      const queue = queueOf('events');
      const unseen: RowRef[] = [];
      await unhurried(() =>
        Promise.all(
          rows.map(async (row) => {
            await promoteJob(queue, row._id);
            if (await removeCompleted(queue, row._id)) unseen.push(row);
          }),
        ),
      );
      if (unseen.length > 0) await publishEvents(unseen);
    },
    nextJobs,
    nextDeliveries: (channel: Channel, max: number) => nextDeliveries(notifyQueue(channel), max),
    findJobs: (jobs: readonly OperationJob[]) =>
      find(jobs.map(({ queue, jobId }) => ({ queue, id: jobId }))),
    findDeliveryJobs: async (jobs: readonly DeliveryJob[]) => {
      const refs = jobs.map((job) => ({ queue: notifyQueue(job.channel), id: deliveryJobId(job) }));
      const found = await find(refs);
      const dueMs = await dueTimes(refs.filter((_ref, index) => found[index] === 'delayed'));
      const lateMs = clock.now() + LIMITS.deliveryPutBackMsMax;
      // Put back for a moment, because there was no place at its host: it stands in the queue.
      return found.map((one, index) =>
        one === 'delayed' && (dueMs.get(refs[index]?.id ?? '') ?? Infinity) <= lateMs
          ? 'queued'
          : one,
      );
    },
    promote: async (jobs: readonly OperationJob[]) => {
      await unhurried(() =>
        Promise.all(
          sharedJobs(jobs).map(([{ queue, jobId }]) => promoteJob(queueOf(queue), jobId)),
        ),
      );
    },
  });
}

/** None of one that is gone meanwhile. */
function firstDeliveryOf(job: Job | undefined): readonly string[] {
  const payload = deliveryPayload.safeParse(job?.data);
  const [first] = payload.success ? deliveriesOf(payload.data) : [];
  return first === undefined ? [] : [first.deliveryId];
}

/** What is sent until the promises that are due have run leaves in one system call. */
function writeTogether({ stream }: Redis): void {
  stream.cork();
  process.nextTick(() => {
    stream.uncork();
  });
}

/** A job that moves by itself meanwhile needs no help. */
async function promoteJob(queue: Queue, jobId: string): Promise<void> {
  const job = await queue.getJob(jobId);
  const state = await job?.getState();
  if (state === 'delayed') await job?.promote().catch(() => undefined);
  if (state === 'failed') await job?.retry().catch(() => undefined);
}

/**
 * A job that is done while its row is still there has not seen the row: it asked a primary that had
 * just taken over and did not know yet of what a majority has. Its id would keep any other one out.
 */
async function removeCompleted(queue: Queue, jobId: string): Promise<boolean> {
  const job = await queue.getJob(jobId);
  if (job === undefined || (await job.getState()) !== 'completed') return false;
  await job.remove();
  return true;
}

/** BullMQ keeps the low twelve bits of the score for the order within a millisecond. */
const DELAYED_SCORE_PER_MS = 0x1000;

function presenceOf(state: string): JobPresence {
  switch (state) {
    case 'unknown':
      return 'gone';
    case 'completed':
    case 'failed':
      return 'finished';
    case 'delayed':
      return 'delayed';
    default:
      return 'queued';
  }
}
