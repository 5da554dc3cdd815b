import { LEDGER_LIMITS } from '../config/ledger-limits.ts';
import { LIMITS } from '../config/limits.ts';
import { readDatabaseTime } from '../core/infra/database-clock.ts';
import { createLeaseStore } from '../core/infra/lease-store.ts';
import { type Chore, startChores } from '../core/recovery/chores.ts';
import { createIngest } from '../core/ingest/ingest.ts';
import { OPERATIONS } from '../core/operation-types/registry.ts';
import { rebuildRules } from '../core/operation-types/rebuild-rules.ts';
import { createLedgerQueries } from '../core/ledger/ledger-reads-store.ts';
import { createLedgerWatch } from '../core/ledger/watch/watch-store.ts';
import type { Ingest } from '../core/ingest/submission.ts';
import { reportDrift } from '../core/recovery/report-drift.ts';
import { expireHolds } from '../core/recovery/expire-holds.ts';
import { createDeliveryRecoveryStore } from '../core/notifications/delivery/delivery-recovery-store.ts';
import type { DeliveryPublisher } from '../core/notifications/delivery/publisher.ts';
import { createExpiredHoldsStore } from '../core/ledger/expired-holds-store.ts';
import { createHeldDeliveriesStore } from '../core/notifications/delivery/held-deliveries-store.ts';
import { createHeldStore } from '../core/operations/held-store.ts';
import { type LetInDeps, letInHeld } from '../core/recovery/let-in-held.ts';
import { createPauseStore } from '../core/service-config/pause-store.ts';
import { createNews } from '../core/recovery/news.ts';
import { createRecoveryStore } from '../core/operations/recovery-store.ts';
import { createRepairStore } from '../core/operations/repair-store.ts';
import { wakeDue } from '../core/recovery/repair.ts';
import { sweepDeliveries } from '../core/recovery/sweep-deliveries.ts';
import { isQueueAway, sweep } from '../core/recovery/sweep.ts';
import { createLedgerSigner } from '../runtime/ledger-signer.ts';
import { createSealer } from '../core/ledger/proof/seal-store.ts';
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
  /** By default as the settings say; the fault tests are in a hurry. */
  readonly sweepIntervalMs?: number;
}

/**
 * The recovery pool: a plain timer, so that losing Redis cannot stop it, and a job scheduler as a
 * second trigger, so that a process whose timers have gone astray is not the only one to sweep.
 */
export function startRecovery(options: RecoveryDeps): void {
  const { platform, publisher } = options;
  const pace = paceOf(platform, options.sweepIntervalMs);
  const { mongo, clock, logger, metrics, failpoint, processId, random, pauses } = platform;
  const outbox = createOutboxStore(mongo.db);
  const databaseTime = () => readDatabaseTime(mongo.db);
  const ingest = openIngest(platform, publisher);
  const expired = createExpiredHoldsStore(mongo.db);
  const news = createNews();
  const deps = {
    news,
    workerId: processId,
    leaseMs: () => leaseMsOf(pace.now.sweepMs),
    store: createRecoveryStore(mongo.db),
    outbox,
    repairs: createRepairStore(mongo.db, outbox),
    lines: openLines(mongo.db, publisher, pauses),
    pauses,
    expireHolds: () =>
      expireHolds({ expired, ingest, registry: OPERATIONS, databaseTime, metrics }),
    schedules: openTrigger(platform, pace.now.sweepMs, () => sweepOnce()),
    leases: createLeaseStore(mongo.db),
    databaseTime,
    publisher,
    logger,
    metrics,
    failpoint,
  };
  const held = openHeld(platform, deps);
  const onError = (err: unknown, chore: string): void => {
    if (isQueueAway(err)) logger.warn({ err, chore }, 'sweep.queue.away');
    else logger.error({ err, chore }, 'sweep.failed');
  };
  const sweepOnce = createSweepOnce(async () => {
    await sweep(deps);
  });
  const watch = openWatch(options, ingest);
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
      intervalMs: () => pace.now.deliverySweepMs,
      jitterMs: LIMITS.timerIntervalMs,
      run: async () => {
        await sweepDeliveries({ store, databaseTime, publisher, logger, metrics, news });
      },
    },
    watch.chore,
    sealChore(platform),
    {
      name: 'pauses',
      intervalMs: LIMITS.timerIntervalMs,
      run: async () => {
        await letInHeld(held);
      },
    },
    {
      name: 'sweep',
      intervalMs: () => pace.now.sweepMs,
      jitterMs: LIMITS.sweepJitterMs,
      run: sweepOnce,
    },
  ]);
  platform.lifecycle.onClose('recovery', async () => {
    await stopChores();
    await watch.close();
    await ingest.drain();
    await deps.leases.release('sweep', processId);
  });
}

/** For the release of holds, which is not put off by a backlog. */
function openIngest(
  { env, mongo, clock, logger, metrics, failpoint }: Platform,
  publisher: JobPublisher,
): Ingest {
  return createIngest({
    store: createOperationStore(mongo.db),
    databaseTime: () => readDatabaseTime(mongo.db),
    ...{ publisher, clock, logger, metrics, failpoint },
    backlog: () => false,
    lanes: env.SETTLEMENT_LANES,
    laneQueue,
  });
}

/** What it needs to let in what pauses have held back. */
function openHeld(
  { mongo, pauses, logger }: Platform,
  shared: Pick<LetInDeps, 'lines' | 'leases' | 'workerId' | 'publisher'>,
): LetInDeps {
  const { lines, leases, workerId, publisher } = shared;
  return {
    ...{ pauses, logger, lines, leases, workerId, publisher },
    store: createPauseStore(mongo.db),
    operations: createHeldStore(mongo.db),
    deliveries: createHeldDeliveriesStore(mongo.db),
  };
}

/** How often, by now. */
function paceOf({ settings }: Platform, fixedMs: number | undefined) {
  return settings.view((all) => ({
    sweepMs: fixedMs ?? all.read('recovery.sweepMs'),
    deliverySweepMs: Math.min(fixedMs ?? Infinity, all.read('recovery.deliverySweepMs')),
  }));
}

/** A lease outlives a period. */
function leaseMsOf(sweepMs: number): number {
  const periodMs = sweepMs + LIMITS.sweepJitterMs;
  return Math.max(
    periodMs + LIMITS.timerIntervalMs,
    Math.min(LIMITS.sweepLeaseMs, 2 * sweepMs + periodMs),
  );
}

/** Seals what the log has got since; one process at a time, so that none does another's work again. */
function sealChore({ mongo, env, logger, processId }: Platform): Chore {
  const signerOf = createLedgerSigner(mongo.db, env);
  const seal = createSealer({
    ...{ db: mongo.db, owner: processId, leases: createLeaseStore(mongo.db) },
    databaseTime: () => readDatabaseTime(mongo.db),
  });
  let isTold = false;
  const run = async (): Promise<void> => {
    const signer = await signerOf();
    if (signer !== undefined) await seal(signer);
    else if (!isTold) logger.warn({}, 'ledger.seal.no-key');
    isTold ||= signer === undefined;
  };
  return { name: 'ledger seal', intervalMs: LEDGER_LIMITS.sealTurnMs, run };
}

function openWatch(
  { platform }: RecoveryDeps,
  ingest: Ingest,
): { readonly chore: Chore; readonly close: () => Promise<void> } {
  const { mongo, clock, logger, metrics, processId, env } = platform;
  const outbox = createOutboxStore(mongo.db);
  const ledger = (tenantId: string) => createLedgerQueries(mongo.db, { tenantId, currencies: [] });
  const watch = createLedgerWatch({
    ...{ db: mongo.db, clock, metrics, owner: processId },
    rules: rebuildRules(OPERATIONS),
    leases: createLeaseStore(mongo.db),
    onDrift: (drift) =>
      reportDrift(
        {
          ...{ policy: env.LEDGER_DRIFT_POLICY, logger, ingest, registry: OPERATIONS },
          databaseTime: () => readDatabaseTime(mongo.db),
          tell: (row) => mongo.client.withSession((session) => outbox.insert(session, [row])),
          findWallet: (id) => ledger(drift.tenantId).wallet(id),
        },
        drift,
      ),
  });
  const { watchTurnMs: intervalMs } = LEDGER_LIMITS;
  return {
    chore: { name: 'ledger watch', intervalMs, run: () => watch.turn() },
    close: () => watch.close(),
  };
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
