import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import { createRepairStore } from '../../core/operations/repair-store.ts';
import { repairInterrupted } from '../../core/recovery/repair.ts';
import type { LeaseTiming } from '../../core/saga/heartbeat.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { isSettled } from '../../core/operations/status.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import type { Arena, EngineOptions } from './saga-arena.ts';

const HEALED_WITHIN_MS = 20_000;

/** Recovery and a healthy worker, until the operation of a dead one has ended. */
export async function recover(
  arena: Arena,
  id: string,
  timing: LeaseTiming,
  options: EngineOptions = {},
): Promise<void> {
  const { db } = arena.mongo;
  const deps = {
    repairs: createRepairStore(db, createOutboxStore(db)),
    lines: openLines(db, arena.publisher),
    databaseTime: () => readDatabaseTime(db),
    publisher: arena.publisher,
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    failpoint: noFailpoint,
  };
  const { engine } = arena.engine({ ...options, timing });
  const deadline = systemClock.monotonicMs() + HEALED_WITHIN_MS;
  while (!isSettled((await arena.operation(id)).status)) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`${id} is still open`);
    await repairInterrupted(deps);
    await engine.run(id).catch(() => undefined); // busy until the lease of the dead one is over
    await systemClock.sleep(50);
  }
}
