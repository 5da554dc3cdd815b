import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Env, redactEnv } from '../../config/env.ts';
import {
  type ReadDatabaseTime,
  createDatabaseClock,
  readDatabaseTime,
} from '../infra/database-clock.ts';
import { ensureCollections } from '../infra/schema.ts';
import { type Mongo, openMongo } from '../infra/mongo.ts';
import { type Clock, startTicker, systemClock } from '../kernel/clock.ts';
import { type Failpoint, killingFailpoint, noFailpoint } from '../kernel/failpoint.ts';
import { newToken } from '../kernel/ids.ts';
import { type Logger, createLogger } from '../telemetry/logger.ts';
import { type Metrics, createMetrics } from '../telemetry/metrics.ts';
import { type Lifecycle, createLifecycle } from './lifecycle.ts';

/** What every process has: opened once in `main.ts`, passed down, closed by the lifecycle. */
export interface Platform {
  readonly env: Env;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  readonly mongo: Mongo;
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
export async function openPlatform(env: Env, service: string): Promise<Platform> {
  const logger = createLogger({ level: env.LOG_LEVEL, service });
  const clock = systemClock;
  const metrics = createMetrics();
  const lifecycle = createLifecycle(logger, clock);
  const processId = `${service}-${process.pid}-${newToken()}`;
  logger.info({ env: redactEnv(env), processId }, 'process.starting');

  const mongo = await openMongo({
    url: env.MONGO_URL,
    database: env.MONGO_DB,
    appName: processId,
    metrics,
  });
  lifecycle.onClose('mongodb', () => mongo.close());
  try {
    await ensureCollections(mongo.db, clock);
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
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
    databaseClock: createDatabaseClock(() => readDatabaseTime(mongo.db), clock),
    lifecycle,
    processId,
    random,
  });
}

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
