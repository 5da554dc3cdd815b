import { LIMITS } from '../../config/limits.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { faultOf } from '../infra/database-errors.ts';
import { assertNever } from '../kernel/assert.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import type { Lines } from '../operations/lines.ts';
import { type OperationHead, jobOf } from '../operations/operation.ts';
import type { JobPublisher } from '../operations/ports.ts';
import type { OutboxRow } from '../events/outbox.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RepairStore } from '../operations/repair-store.ts';
import type { Pauses } from '../service-config/pause.ts';
import { type OperationRule, ruleOf } from './rules.ts';

export interface RepairDeps {
  readonly repairs: RepairStore;
  readonly lines: Pick<Lines, 'moveOn'>;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: JobPublisher;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  /** By default there are none. */
  readonly pauses?: Pick<Pauses, 'isActive'>;
}

export interface RepairReport {
  readonly overdue: number;
  readonly repaired: number;
}

/** R2 to R6 over what is running, waiting or compensating and should have moved. */
export async function repairInterrupted(deps: RepairDeps): Promise<RepairReport> {
  return repair(deps, ['running', 'waiting', 'compensating']);
}

/**
 * The timers: what waits for its time alone, often and cheaply. They are in the database, so that
 * an emptied Redis loses none of them.
 */
export async function wakeDue(deps: RepairDeps): Promise<RepairReport> {
  return repair(deps, ['waiting']);
}

async function repair(
  deps: RepairDeps,
  statuses: readonly OperationHead['status'][],
): Promise<RepairReport> {
  const { now } = await deps.databaseTime();
  const overdue = await deps.repairs.findOverdue({ now, statuses, limit: LIMITS.sweepBatch });
  if (overdue.length === 0) return { overdue: 0, repaired: 0 };
  await deps.failpoint('recovery.before-redispatch');
  const repaired = await Promise.all(overdue.map((operation) => applyAlone(deps, operation, now)));
  const moved = repaired.flatMap(({ woken }) => (woken === undefined ? [] : [woken]));
  const rows = repaired.flatMap(({ events }) => events ?? []);
  // Those whose turn has come are let in, and what stood behind those that were parked just now.
  await deps.lines.moveOn(repaired.flatMap(({ lines = [] }) => lines));
  if (moved.length > 0) await deps.publisher.publishOperations(moved.map(jobOf));
  if (rows.length > 0) await deps.publisher.publishEvents(rows);
  await deps.failpoint('recovery.after-redispatch');
  return { overdue: overdue.length, repaired: moved.length };
}

interface Repaired {
  readonly woken?: OperationHead;
  readonly events?: readonly OutboxRow[];
  /** To be looked at: somebody's turn may have come. */
  readonly lines?: readonly string[];
}

/** One that cannot be repaired keeps no other from it. */
async function applyAlone(
  deps: RepairDeps,
  operation: OperationHead,
  now: Date,
): Promise<Repaired> {
  try {
    return await apply(deps, operation, now);
  } catch (error) {
    if (faultOf(error) !== 'other') throw error;
    deps.logger.error({ err: error, operationId: operation._id }, 'operation.repair.failed');
    return {};
  }
}

async function apply(deps: RepairDeps, operation: OperationHead, now: Date): Promise<Repaired> {
  const rule = ruleOf(operation, now);
  if (rule !== 'idle' && rule !== 'R12') deps.metrics.sweepStale.inc({ rule });
  alertWhenLate(deps, operation, now);
  const repaired = await act(deps, rule, { operation, now });
  const isDone = repaired.woken !== undefined || repaired.events !== undefined;
  if (!isDone) return repaired;
  deps.metrics.sweepRepaired.inc({ rule });
  const overdueMs = now.getTime() - (operation.nextCheckAt ?? now).getTime();
  deps.metrics.timeToRepair.observe({ rule }, Math.max(0, overdueMs / 1_000));
  const { _id: operationId, type, epoch } = operation;
  deps.logger.info({ rule, operationId, type, epoch }, 'operation.repaired');
  return repaired;
}

/** R6 past the pivot: there is no way back, so a human should know that it is late. */
function alertWhenLate({ metrics, logger }: RepairDeps, operation: OperationHead, now: Date): void {
  const { _id: operationId, deadline, pivotPassed } = operation;
  if (pivotPassed !== true || deadline === undefined || deadline > now) return;
  metrics.sweepStale.inc({ rule: 'R6' });
  logger.error({ rule: 'R6', operationId, deadline }, 'operation.late');
}

async function act(
  { repairs, logger, pauses }: RepairDeps,
  rule: OperationRule,
  { operation, now }: { readonly operation: OperationHead; readonly now: Date },
): Promise<Repaired> {
  switch (rule) {
    case 'R2':
    case 'R4':
      return wokenBy(await repairs.takeOver(operation, now));
    case 'R3':
    case 'R6':
      return wokenBy(await repairs.wake(operation, now));
    case 'R5': {
      const events = await repairs.park(operation, now);
      if (events === undefined) return {};
      logger.error({ operationId: operation._id, rule }, 'operation.needs-attention');
      return { events, lines: [operation.orderingKey] };
    }
    case 'R12':
      if (operation.pausedBy !== undefined && pauses?.isActive(operation.pausedBy) === true) {
        await repairs.leave(operation, now, LIMITS.waitRecheckMs);
        return {};
      }
      await repairs.leave(operation, now, LIMITS.lineCheckMs);
      return { lines: [operation.orderingKey] };
    case 'idle':
      await repairs.leave(operation, now, LIMITS.waitRecheckMs);
      return {};
    case 'R1':
      return {}; // has its own pass, which asks the queue first
    default:
      return assertNever(rule);
  }
}

function wokenBy(operation: OperationHead | undefined): Repaired {
  return operation === undefined ? {} : { woken: operation };
}
