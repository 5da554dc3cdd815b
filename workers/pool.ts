import { type ConnectionOptions, DelayedError, type Job, Worker } from 'bullmq';
import { LIMITS } from '../config/limits.ts';
import { withTimeout } from '../core/kernel/clock.ts';
import { present } from '../core/kernel/assert.ts';
import type { Platform } from '../runtime/platform.ts';
import { withContext } from '../core/telemetry/context.ts';
import { type QueueName, queueSpecOf } from '../queues/catalog.ts';
import { disposeOf } from './disposition.ts';

export interface Pool {
  /** Stops fetching, lets the jobs under way finish within the drain deadline. */
  close(): Promise<void>;
  /** Jobs under way at once, from now on. Those that are stay. */
  setConcurrency(jobs: number): void;
}

interface PoolOptions<P> {
  readonly platform: Platform;
  readonly connection: ConnectionOptions;
  readonly queue: QueueName;
  /** By default what the catalogue says. */
  readonly concurrency?: number;
  /** A number: the job comes again after as many milliseconds, and no attempt of it is used up. */
  readonly work: (payload: P) => Promise<number | undefined> | Promise<void>;
  /**
   * Ids for the log lines of a job. Left out where a job only waits for work that many share: the
   * lines of that work are not its own, and before Node 24 every promise of a process is dearer from
   * the first context on.
   */
  readonly contextOf?: (payload: P) => Parameters<typeof withContext>[0];
}

/** The generic shell around a processor: parse the payload, one core call, dispose of the error. */
export function startPool<P>(options: PoolOptions<P>): Pool {
  const { platform, connection, queue, work, contextOf } = options;
  const spec = present(queueSpecOf(queue), `queue ${queue} of the catalogue`);
  const process = async (job: Job, token?: string): Promise<void> => {
    const parsed = spec.payload.safeParse(job.data);
    if (!parsed.success) {
      platform.logger.error({ jobId: job.id, queue, issues: parsed.error.issues }, 'job.malformed');
      throw new Error('malformed job payload');
    }
    const payload = parsed.data as P; // the catalogue's schema for this queue
    let againMs: unknown;
    try {
      const context =
        contextOf === undefined
          ? undefined
          : { ...contextOf(payload), ...(job.id !== undefined && { jobId: job.id }) };
      againMs = await (context === undefined
        ? work(payload)
        : withContext(context, () => work(payload)));
    } catch (error) {
      await disposeOf(error, job, token);
    }
    if (typeof againMs !== 'number') return;
    await job.moveToDelayed(platform.clock.now() + againMs, token);
    throw new DelayedError();
  };
  const worker = new Worker(queue, process, {
    connection,
    prefix: platform.env.QUEUE_PREFIX,
    concurrency: options.concurrency ?? spec.concurrency,
    lockDuration: spec.lockDurationMs,
    stalledInterval: spec.stalledIntervalMs,
    maxStalledCount: spec.maxStalledCount,
    removeOnComplete: { ...spec.removeOnComplete },
    removeOnFail: { ...spec.removeOnFail },
    name: platform.processId,
  });
  worker.on('error', (err) => {
    platform.logger.debug({ err, queue }, 'worker.redis.error');
  });
  worker.on('failed', (job, err) => {
    platform.logger.warn({ err, queue, jobId: job?.id }, 'job.failed');
  });
  return {
    setConcurrency: (jobs) => {
      if (worker.concurrency !== jobs) worker.concurrency = jobs;
    },
    close: async () => {
      await withTimeout(
        worker.close(),
        LIMITS.drainDeadlineMs,
        () => new Error(`the jobs of ${queue} did not finish in time`),
      ).catch(async (err: unknown) => {
        platform.logger.warn({ err, queue }, 'worker.close.forced');
        await worker.close(true);
      });
    },
  };
}
