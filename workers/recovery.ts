import { LIMITS } from '../config/limits.ts';
import { readDatabaseTime } from '../core/infra/database-clock.ts';
import { createLeaseStore } from '../core/infra/lease-store.ts';
import { startChores } from '../core/recovery/chores.ts';
import { createIngest } from '../core/ingest/ingest.ts';
import { OPERATIONS } from '../core/operation-types/registry.ts';
import { expireHolds } from '../core/recovery/expire-holds.ts';
import { createDeliveryRecoveryStore } from '../core/notifications/delivery/delivery-recovery-store.ts';
import type { DeliveryPublisher } from '../core/notifications/delivery/publisher.ts';
import { createExpiredHoldsStore } from '../core/ledger/expired-holds-store.ts';
import { createNews } from '../core/recovery/news.ts';
import { createRecoveryStore } from '../core/operations/recovery-store.ts';
import { createRepairStore } from '../core/operations/repair-store.ts';
import { wakeDue } from '../core/recovery/repair.ts';
import { sweepDeliveries } from '../core/recovery/sweep-deliveries.ts';
import { isQueueAway, sweep } from '../core/recovery/sweep.ts';
import type { Platform } from '../runtime/platform.ts';
import { createOperationStore } from '../core/operations/operation-store.ts';
import type { JobPublisher, Schedules } from '../core/operations/ports.ts';
import { openLines } from '../core/operations/lines.ts';
import { createOutboxStore } from '../core/events/outbox-store.ts';
import { type SweepPayload, laneQueue } from '../queues/catalog.ts';
import { createSchedules } from '../queues/schedules.ts';
import { startPool } from './pool.ts';

interface RecoveryDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher & DeliveryPublisher;
  /** By default LIMITS; the fault tests are in a hurry. */
  readonly sweepIntervalMs?: number;
}

/**
 * The recovery pool: a plain timer, so that losing Redis cannot stop it, and a job scheduler as a
 * second trigger, so that a process whose timers have gone astray is not the only one to sweep.
 */
export function startRecovery(options: RecoveryDeps): void {
  const { platform, publisher, sweepIntervalMs = LIMITS.sweepIntervalMs } = options;
  const { mongo, clock, logger, metrics, failpoint, processId, random } = platform;
  const outbox = createOutboxStore(mongo.db);
  const databaseTime = () => readDatabaseTime(mongo.db);
  const ingest = createIngest({
    store: createOperationStore(mongo.db),
    ...{ databaseTime, publisher, clock, logger, metrics, failpoint },
    backlog: () => false, // expiry is not put off by a backlog
    lanes: platform.env.SETTLEMENT_LANES,
    laneQueue,
  });
  const expired = createExpiredHoldsStore(mongo.db);
  const news = createNews();
  const deps = {
    news,
    workerId: processId,
    leaseMs: Math.min(LIMITS.sweepLeaseMs, 3 * sweepIntervalMs + LIMITS.sweepJitterMs),
    store: createRecoveryStore(mongo.db),
    outbox,
    repairs: createRepairStore(mongo.db, outbox),
    lines: openLines(mongo.db, publisher),
    expireHolds: () =>
      expireHolds({ expired, ingest, registry: OPERATIONS, databaseTime, metrics }),
    schedules: openTrigger(platform, sweepIntervalMs, () => sweepOnce()),
    leases: createLeaseStore(mongo.db),
    databaseTime,
    publisher,
    logger,
    metrics,
    failpoint,
  };
  const onError = (err: unknown, chore: string): void => {
    if (isQueueAway(err)) logger.warn({ err, chore }, 'sweep.queue.away');
    else logger.error({ err, chore }, 'sweep.failed');
  };
  const sweepOnce = createSweepOnce(async () => {
    await sweep(deps);
  });
  // Every process by itself: deliveries are repaired by compare-and-set, and the lease is the other sweep's.
  const store = createDeliveryRecoveryStore(mongo.db);
  const stopChores = startChores({ clock, random, onError }, [
    {
      name: 'timers',
      intervalMs: LIMITS.timerIntervalMs,
      run: async () => {
        await wakeDue(deps);
      },
    },
    {
      name: 'deliveries',
      intervalMs: Math.min(LIMITS.deliverySweepMs, sweepIntervalMs),
      jitterMs: LIMITS.timerIntervalMs,
      run: async () => {
        await sweepDeliveries({ store, databaseTime, publisher, logger, metrics, news });
      },
    },
    {
      name: 'sweep',
      intervalMs: sweepIntervalMs,
      jitterMs: LIMITS.sweepJitterMs,
      run: sweepOnce,
    },
  ]);
  platform.lifecycle.onClose('recovery', async () => {
    await stopChores();
    await ingest.drain();
    await deps.leases.release('sweep', processId);
  });
}

/** Two triggers at once start one sweep. */
function createSweepOnce(run: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  return () => {
    underWay ??= run().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

/** Consumes the jobs of the scheduler; returns what puts it back (R9). */
function openTrigger(
  platform: Platform,
  sweepIntervalMs: number,
  sweepOnce: () => Promise<void>,
): Schedules {
  const { redis, logger, lifecycle } = platform;
  const onError = (err: Error): void => {
    logger.debug({ err }, 'redis.recovery.error');
  };
  const connection = redis.open('queue', { name: 'recovery', whenAway: 'wait' });
  const schedules = createSchedules(
    { connection, prefix: platform.env.QUEUE_PREFIX, onError },
    sweepIntervalMs,
  );
  const pool = startPool<SweepPayload>({
    platform,
    connection,
    queue: 'recovery',
    work: sweepOnce,
  });
  lifecycle.onDrain('recovery jobs', async () => {
    await pool.close();
    await schedules.close();
  });
  return schedules;
}
