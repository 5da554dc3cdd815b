import { LIMITS } from '../config/limits.ts';
import { readDatabaseTime } from '../core/infra/database-clock.ts';
import { createLeaseStore } from '../core/infra/lease-store.ts';
import { startTicker } from '../core/kernel/clock.ts';
import { createRecoveryStore } from '../core/recovery/recovery-store.ts';
import { isQueueAway, sweep } from '../core/recovery/sweep.ts';
import type { Platform } from '../core/runtime/platform.ts';
import type { JobPublisher } from '../core/saga/ports.ts';
import { createOutboxStore } from '../core/saga/settle-store.ts';

interface RecoveryDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher;
}

/** The recovery pool: a plain timer, so that losing Redis cannot stop it. */
export function startRecovery({ platform, publisher }: RecoveryDeps): void {
  const { mongo, clock, logger, metrics, failpoint, processId, random } = platform;
  const deps = {
    workerId: processId,
    store: createRecoveryStore(mongo.db),
    outbox: createOutboxStore(mongo.db),
    leases: createLeaseStore(mongo.db),
    databaseTime: () => readDatabaseTime(mongo.db),
    publisher,
    logger,
    metrics,
    failpoint,
  };
  const ticker = startTicker({
    intervalMs: LIMITS.sweepIntervalMs,
    jitterMs: LIMITS.sweepJitterMs,
    clock,
    random,
    run: async () => {
      await sweep(deps);
    },
    onError: (err) => {
      if (isQueueAway(err)) logger.warn({ err }, 'sweep.queue.away');
      else logger.error({ err }, 'sweep.failed');
    },
  });
  platform.lifecycle.onClose('recovery', async () => {
    await ticker.stop();
    await deps.leases.release('sweep', processId);
  });
}
