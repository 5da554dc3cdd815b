import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { LIMITS } from '../config/limits.ts';
import { withTimeout } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import type { Schedules } from '../core/operations/ports.ts';
import { type QueueName, type SweepPayload, queueSpecOf, sweepPayload } from './catalog.ts';

interface Schedule {
  readonly queue: QueueName;
  readonly id: string;
  readonly everyMs: number;
  readonly data: SweepPayload;
}

interface SchedulesDeps {
  readonly connection: Redis;
  readonly prefix: string;
  readonly onError: (error: Error) => void;
}

/** Every job scheduler: one row each. They stand in Redis alone, so recovery puts them back (R9). */
function schedulesFor(sweepIntervalMs: number): readonly Schedule[] {
  const data = sweepPayload.parse({ v: 1, rule: 'sweep' });
  return [{ queue: 'recovery', id: 'sweep', everyMs: sweepIntervalMs, data }];
}

/** The job schedulers, over a connection of the caller's. */
export function createSchedules(
  { connection, prefix, onError }: SchedulesDeps,
  sweepIntervalMs: number = LIMITS.sweepIntervalMs,
): Schedules & { close(): Promise<void> } {
  const schedules = schedulesFor(sweepIntervalMs);
  const queues = new Map(
    [...new Set(schedules.map(({ queue }) => queue))].map((name) => {
      const queue = new Queue(name, { connection, prefix, skipWaitingForReady: true });
      queue.on('error', onError);
      return [name, queue] as const;
    }),
  );

  const ensureOne = async ({ queue: name, id, everyMs, data }: Schedule): Promise<number> => {
    const queue = queues.get(name);
    const spec = queueSpecOf(name);
    if (queue === undefined || spec === undefined) return 0;
    const there = await queue.getJobScheduler(id);
    if (there?.every === everyMs) return 0;
    await queue.upsertJobScheduler(
      id,
      { every: everyMs },
      {
        name: id,
        data,
        opts: {
          attempts: spec.attempts,
          removeOnComplete: { ...spec.removeOnComplete },
          removeOnFail: { ...spec.removeOnFail },
        },
      },
    );
    return 1;
  };

  return Object.freeze({
    ensure: async () => {
      if (connection.status !== 'ready') {
        throw new AppError('queue_unavailable', `Redis is not connected (${connection.status})`);
      }
      const applied = await withTimeout(
        Promise.all(schedules.map(ensureOne)),
        LIMITS.redisCommandMs,
        () => new AppError('queue_unavailable', 'Redis did not answer in time'),
      );
      return applied.reduce((sum, one) => sum + one, 0);
    },
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(onError)));
    },
  });
}
