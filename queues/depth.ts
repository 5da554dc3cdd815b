import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { WORKER_POOLS, type WorkerPool } from '../config/env.ts';
import { LIMITS } from '../config/limits.ts';
import { type Clock, withTimeout } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import { deliveriesOfJobId } from '../core/notifications/delivery/delivery.ts';
import { type QueueName, queueSpecOf } from './catalog.ts';

/** One queue at one moment. */
export interface QueueDepth {
  readonly queue: QueueName;
  readonly pool: WorkerPool;
  readonly waiting: number;
  readonly prioritised: number;
  /** Of these `due` have a time that has passed. */
  readonly delayed: number;
  readonly due: number;
  readonly active: number;
  readonly oldestWaitSeconds: number;
  /** The processes that consume it. */
  readonly consumers: readonly string[];
  /** Jobs to do per consumer: waiting, prioritised, due and active; of deliveries what they stand for. */
  readonly load: number;
  /** What one of its jobs stands for on the average, where that may be several. */
  readonly perJob?: number;
}

export interface PoolAdvice {
  readonly pool: WorkerPool;
  /** Processes that consume for it now. */
  readonly workers: number;
  /** Jobs to do; of settlement operations and of notification deliveries, since a job may stand for many. */
  readonly backlog: number;
  readonly oldestWaitSeconds: number;
  readonly recommendedReplicas: number;
}

export interface ReplicaBounds {
  readonly min: number;
  readonly max: number;
}

interface Situation extends ReplicaBounds {
  /** Accepted and not settled, as last counted. */
  readonly openOperations: number;
  /** More processes than these have nothing to settle: a lane has one consumer. */
  readonly lanes: number;
}

/** Backlog that one more process is worth: what one of them works off in about 10 s. */
const BACKLOG_PER_REPLICA = {
  settlement: 20_000,
  saga: 1_000,
  notification: 5_000,
  recovery: 1_000,
} as const satisfies Record<WorkerPool, number>;

/** Waiting longer than this means too few, however short the queue is. */
const WAIT_SECONDS_MAX = 10;

interface DepthDeps {
  readonly queues: ReadonlyMap<QueueName, Queue>;
  /** The connection of the queues: without it their calls would wait for it. */
  readonly connection: Redis;
  readonly clock: Clock;
}

const KEPT_MS = 1_000;

/**
 * Reads every queue, at most once a second however often it is asked.
 *
 * @throws AppError `queue_unavailable` while Redis is away.
 */
export function createDepthReader({ queues, connection, clock }: DepthDeps) {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<readonly QueueDepth[]> | undefined;

  const readAll = async (): Promise<readonly QueueDepth[]> => {
    if (connection.status !== 'ready') throw away(`not connected (${connection.status})`);
    const reads = [...queues].map(([name, queue]) => depthOf(name, queue, clock.now()));
    return withTimeout(Promise.all(reads), LIMITS.redisCommandMs, () => away('no answer in time'));
  };
  return (): Promise<readonly QueueDepth[]> => {
    if (last === undefined || clock.monotonicMs() - lastAtMs >= KEPT_MS) {
      lastAtMs = clock.monotonicMs();
      last = readAll();
    }
    return last;
  };
}

function away(reason: string): AppError {
  return new AppError('queue_unavailable', `The queues cannot be read: ${reason}`);
}

async function depthOf(name: QueueName, queue: Queue, now: number): Promise<QueueDepth> {
  const [counts, clients] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active'),
    queue.getWorkers(),
  ]);
  const consumers = [...new Set(clients.map((client) => processOf(client['rawname'] ?? '')))];
  const { waiting = 0, prioritized = 0, delayed = 0, active = 0 } = counts;
  const [due, oldest, perJob] = await Promise.all([
    delayed === 0 ? 0 : queue.getDelayedCount(now),
    waiting + prioritized === 0 ? undefined : oldestOf(queue),
    waiting + prioritized + delayed + active === 0 ? 1 : perJobOf(name, queue),
  ]);
  const waitedMs = oldest === undefined ? 0 : Math.max(0, now - oldest);
  return {
    queue: name,
    pool: poolOf(name),
    waiting,
    prioritised: prioritized,
    delayed,
    due,
    active,
    oldestWaitSeconds: Math.round(waitedMs / 100) / 10,
    consumers,
    load: ((waiting + prioritized + due + active) * perJob) / Math.max(1, consumers.length),
    ...(isOfSeveral(name) && { perJob }),
  };
}

/** Their ids say what they stand for: of as many as these it is counted exactly. */
const IDS_READ = 1_000;

function isOfSeveral(name: QueueName): boolean {
  return poolOf(name) === 'notification' && name !== 'events';
}

async function perJobOf(name: QueueName, queue: Queue): Promise<number> {
  if (!isOfSeveral(name)) return 1;
  const ids = await queue.getRanges(['wait', 'active', 'prioritized', 'delayed'], 0, IDS_READ - 1);
  const all = ids.reduce((sum, id) => sum + deliveriesOfJobId(id), 0);
  return ids.length === 0 ? 1 : all / ids.length;
}

/** BullMQ names a worker's connection `<queue>:w:<name of the worker>`, ours after the process. */
function processOf(connectionName: string): string {
  return connectionName.split(':w:').at(-1) ?? connectionName;
}

/** When the job that comes next was added: the oldest, as long as nothing is prioritised. */
async function oldestOf(queue: Queue): Promise<number | undefined> {
  // A job may be gone between the list and the look at it, whatever the declaration says.
  const jobs: readonly (Job | undefined)[] = await queue.getJobs(
    ['waiting', 'prioritized'],
    0,
    0,
    true,
  );
  const times = jobs.flatMap((job) => (job === undefined ? [] : [job.timestamp]));
  return times.length === 0 ? undefined : Math.min(...times);
}

function poolOf(name: QueueName): WorkerPool {
  return queueSpecOf(name)?.pool ?? 'settlement';
}

/**
 * How many processes each pool should have: enough to work the backlog off in about 10 s, one more
 * than now when something has waited too long, and within the bounds.
 */
export function adviseReplicas(
  depths: readonly QueueDepth[],
  { min, max, openOperations, lanes }: Situation,
): readonly PoolAdvice[] {
  return WORKER_POOLS.filter((pool) => depths.some((depth) => depth.pool === pool)).map((pool) => {
    const own = depths.filter((depth) => depth.pool === pool);
    const jobs = own.reduce(
      (sum, { waiting, prioritised, due, active, perJob = 1 }) =>
        sum + Math.ceil((waiting + prioritised + due + active) * perJob),
      0,
    );
    const backlog = pool === 'settlement' ? Math.max(jobs, openOperations) : jobs;
    const workers = new Set(own.flatMap((depth) => depth.consumers)).size;
    const oldestWaitSeconds = Math.max(...own.map((depth) => depth.oldestWaitSeconds));
    const forBacklog = Math.ceil(backlog / BACKLOG_PER_REPLICA[pool]);
    const forWaiting = oldestWaitSeconds > WAIT_SECONDS_MAX ? workers + 1 : 0;
    const useful = pool === 'settlement' ? Math.min(max, lanes) : max;
    const wanted = Math.min(Math.max(forBacklog, forWaiting), useful);
    return {
      pool,
      workers,
      backlog,
      oldestWaitSeconds,
      recommendedReplicas: Math.max(min, wanted),
    };
  });
}
