import { LIMITS } from '../../config/limits.ts';
import { withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { CancelStore } from '../saga/operation-cancel-store.ts';
import type { OperationDoc } from '../saga/operation.ts';
import type { JobPublisher, SettledHints } from '../saga/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TenantScope } from '../tenants/tenant.ts';

interface CancelDeps {
  readonly store: CancelStore;
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Cancels an accepted operation and tells those who wait for it. Its job stays where it is and
 * finds the work gone. Publishing the event is best effort here: its row is in the outbox.
 *
 * @throws what the store throws.
 */
export function createCancel({ store, publisher, hints, logger, metrics }: CancelDeps) {
  return async (tenant: TenantScope, id: string): Promise<OperationDoc> => {
    const { operation, rows } = await store.cancel(tenant, id);
    if (rows.length === 0) return operation;
    const { _id: operationId, status, type } = operation;
    logger.info({ operationId }, 'operation.canceled');
    metrics.settled.inc({ type, status });
    hints.announce([{ operationId, status }]);
    await withTimeout(
      publisher.publishEvents(rows),
      LIMITS.enqueueTimeoutMs,
      () => new AppError('queue_unavailable', 'Redis did not take the event in time'),
    ).catch((err: unknown) => {
      logger.warn({ err, operationId }, 'operation.canceled.unpublished');
    });
    return operation;
  };
}
