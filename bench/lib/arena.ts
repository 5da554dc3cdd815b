import type { Db } from 'mongodb';
import type { Queue } from 'bullmq';
import { type Env, parseEnv } from '../../config/env.ts';
import { ensureCollections } from '../../core/infra/schema.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { lanePayload, operationsOf } from '../../queues/catalog.ts';
import { type Queues, openQueues } from '../../queues/producer.ts';
import { BASELINE_QUEUE, openBaselineQueue } from '../baseline/queue.ts';

export interface ServerUrls {
  readonly mongoUrl: string;
  readonly redisUrl: string;
}

/** A database and queues of one measurement's own, dropped after it. */
export interface Arena {
  readonly env: Env;
  /** What its processes get. */
  readonly processEnv: Readonly<Record<string, string>>;
  readonly mongo: Mongo;
  readonly db: Db;
  readonly queues: Queues;
  readonly baseline: Queue;
  /** Jobs that are not finished, over all queues of both sides that operations and deliveries go through. */
  unfinishedJobs(): Promise<number>;
  /** Operations that the waiting ones stand for. */
  operationsWaiting(): Promise<number>;
  failedJobs(): Promise<number>;
  close(): Promise<void>;
}

let arenas = 0;

export async function openArena({ mongoUrl, redisUrl }: ServerUrls): Promise<Arena> {
  arenas += 1;
  const name = `bench-${process.pid}-${arenas}`;
  const processEnv = {
    MONGO_URL: mongoUrl,
    REDIS_URL: redisUrl,
    MONGO_DB: name,
    QUEUE_PREFIX: name,
    LOG_LEVEL: 'warn',
    WORKER_POOLS: 'settlement',
    NODE_ENV: 'production',
  };
  const env = parseEnv(processEnv);
  const mongo = await openMongo({ url: mongoUrl, database: name, appName: 'bench' });
  await ensureCollections(mongo.db, systemClock);
  const logger = createLogger({ level: 'warn', service: 'bench' });
  const queues = openQueues({ env, logger, clock: systemClock });
  const { connection } = queues;
  const baseline = openBaselineQueue(BASELINE_QUEUE, { connection, prefix: name });
  // Events have a consumer of their own, and recovery always has a job that stands by.
  const settlement = [baseline, ...queues.byName.values()].filter(
    ({ name: one }) => one !== 'events' && one !== 'recovery',
  );
  const count = async (...states: Parameters<Queue['getJobCounts']>): Promise<number> => {
    const counts = await Promise.all(settlement.map((queue) => queue.getJobCounts(...states)));
    return counts.flatMap((one) => Object.values(one)).reduce((total, one) => total + one, 0);
  };
  return {
    env,
    processEnv,
    mongo,
    db: mongo.db,
    queues,
    baseline,
    operationsWaiting: async () => {
      const pages = await Promise.all(settlement.map((queue) => queue.getJobs(['waiting'])));
      const payloads = pages.flat().map(({ data }) => lanePayload.parse(data));
      return payloads.reduce((sum, payload) => sum + operationsOf(payload).length, 0);
    },
    unfinishedJobs: () => count('waiting', 'active', 'delayed', 'prioritized'),
    failedJobs: () => count('failed'),
    close: async () => {
      await mongo.db.dropDatabase();
      for (const queue of [baseline, ...queues.byName.values()]) {
        await queue.obliterate({ force: true });
      }
      await baseline.close();
      await queues.close();
      await mongo.close();
    },
  };
}
