import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Env, redactEnv, redisUrls } from '../config/env.ts';
import { redisReplicas } from '../config/read-env.ts';
import {
  type ReadDatabaseTime,
  createDatabaseClock,
  readDatabaseTime,
} from '../core/infra/database-clock.ts';
import { ensureCollections } from '../core/infra/schema.ts';
import { isPassing } from '../core/infra/database-errors.ts';
import { type Mongo, type MongoOptions, openMongo } from '../core/infra/mongo.ts';
import { type RedisRoles, createRedisRoles } from '../core/infra/redis-roles.ts';
import { type Clock, startTicker, systemClock } from '../core/kernel/clock.ts';
import { type Failpoint, killingFailpoint, noFailpoint } from '../core/kernel/failpoint.ts';
import { newToken } from '../core/kernel/ids.ts';
import { type Logger, createLogger } from '../core/telemetry/logger.ts';
import { type Metrics, createMetrics } from '../core/telemetry/metrics.ts';
import { type Lifecycle, createLifecycle } from './lifecycle.ts';

/** What every process has: opened once in `main.ts`, passed down, closed by the lifecycle. */
export interface Platform {
  readonly env: Env;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  readonly mongo: Mongo;
  readonly redis: RedisRoles;
  /** Database time by our monotonic clock: no round trip, good to a few milliseconds. */
  readonly databaseClock: ReadDatabaseTime;
  readonly lifecycle: Lifecycle;
  /** `<service>-<pid>-<random>`: names this process in leases and timelines. */
  readonly processId: string;
  readonly random: () => number;
}

const LOOP_SAMPLE_MS = 20;
const LOOP_REPORT_MS = 5_000;

type Watched = Pick<Platform, 'metrics' | 'lifecycle' | 'clock'>;

/**
 * Connects to MongoDB and creates what is missing there.
 *
 * @throws AppError `ledger_unavailable` when MongoDB does not answer.
 */
export async function openPlatform(
  env: Env,
  service: string,
  { waitsForPrimary = false }: { readonly waitsForPrimary?: boolean } = {},
): Promise<Platform> {
  const logger = createLogger({ level: env.LOG_LEVEL, service });
  const clock = systemClock;
  const metrics = createMetrics();
  const lifecycle = createLifecycle(logger, clock);
  const processId = `${service}-${process.pid}-${newToken()}`;
  logger.info({ env: redactEnv(env), processId }, 'process.starting');

  const { MONGO_URL: url, MONGO_DB: database } = env;
  const isControl = env.TENANCY === 'per-brand';
  const { SLOW_QUERY_MS: ms } = env;
  const slow = ms === undefined ? {} : { slow: { ms, logger } };
  const open = () =>
    openDatabase({ url, database, isControl, appName: processId, metrics, ...slow }, clock);
  const mongo = await (waitsForPrimary ? patiently(open, { logger, clock }) : open());
  lifecycle.onClose('mongodb', () => mongo.close());
  const redis = createRedisRoles({
    urls: redisUrls(env),
    replicas: redisReplicas(env),
    prefix: env.QUEUE_PREFIX,
    logger,
  });
  lifecycle.onClose('redis', () => redis.close());
  watchEventLoop({ metrics, lifecycle, clock });
  const failpoint =
    env.FAILPOINTS === undefined
      ? noFailpoint
      : killingFailpoint(env.FAILPOINTS, () => process.kill(process.pid, 'SIGKILL'));
  const random = Math.random;
  return Object.freeze({
    env,
    clock,
    logger,
    metrics,
    failpoint,
    mongo,
    redis,
    databaseClock: createDatabaseClock(() => readDatabaseTime(mongo.db), clock),
    lifecycle,
    processId,
    random,
  });
}

/** Connected, with everything there that is needed; closed again when that fails. */
async function openDatabase(options: MongoOptions, clock: Clock): Promise<Mongo> {
  const mongo = await openMongo(options);
  try {
    await ensureCollections(mongo.db, clock, options.isControl === true ? 'control' : 'all');
    return mongo;
  } catch (error) {
    await mongo.close().catch(() => undefined);
    throw error;
  }
}

/** Servers that start together are not there in any order: one line, then it is waited. */
async function patiently<T>(
  open: () => Promise<T>,
  { logger, clock }: Pick<Platform, 'logger' | 'clock'>,
): Promise<T> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await open();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const reason = error instanceof Error ? error.message : 'unknown';
      if (!isTold) logger.warn({ reason }, 'process.waits-for-mongodb');
      await clock.sleep(WAIT_PAUSE_MS);
    }
  }
}

const WAIT_PAUSE_MS = 1_000;

function watchEventLoop({ metrics, lifecycle, clock }: Watched): void {
  metrics.collectProcessMetrics();
  const delay = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
  delay.enable();
  const ticker = startTicker({
    intervalMs: LOOP_REPORT_MS,
    clock,
    onError: () => undefined, // setting gauges cannot fail
    run: async () => {
      metrics.eventLoopLag.set({ quantile: '0.5' }, delay.percentile(50) / 1e9);
      metrics.eventLoopLag.set({ quantile: '0.99' }, delay.percentile(99) / 1e9);
      metrics.eventLoopLag.set({ quantile: '1' }, delay.max / 1e9);
      delay.reset();
      await Promise.resolve();
    },
  });
  lifecycle.onClose('event-loop-monitor', async () => {
    await ticker.stop();
    delay.disable();
  });
}
