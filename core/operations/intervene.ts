import { LIMITS } from '../../config/limits.ts';
import { withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Lines } from './lines.ts';
import type { InterventionStore } from './intervention-store.ts';
import type { InterventionAction } from './intervention.ts';
import { type OperationDoc, jobOf } from './operation.ts';
import type { JobPublisher } from './ports.ts';
import type { SettledHints } from '../events/hints.ts';
import { isSettled, isTerminal } from './status.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import { signalReader } from './read-signal.ts';
import type { Registry } from './define.ts';

interface InterveneDeps {
  readonly store: InterventionStore;
  readonly lines: Pick<Lines, 'moveOn'>;
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What the types say of their signals: nobody's data reaches a step unread. */
  readonly registry: Registry;
}

/**
 * Signal, cancel, retry, resolve: stored first, then announced. What cannot be enqueued now is
 * enqueued by recovery.
 *
 * @throws what the store throws.
 */
export function createIntervene(deps: InterveneDeps) {
  const { store, lines, publisher, hints, logger, metrics, registry } = deps;
  const readSignal = signalReader(registry);
  return async (
    tenant: TenantScope,
    id: string,
    action: InterventionAction,
  ): Promise<OperationDoc> => {
    const { operation, isRepeat, isWoken, rows } = await store.intervene(tenant, {
      id,
      action,
      readSignal,
    });
    const { _id: operationId, status, type, orderingKey } = operation;
    if (isRepeat) return operation;
    if (rows.length > 0) metrics.settled.inc({ type, status });
    logger.info({ operationId, action: action.kind, actor: action.actor }, 'operation.intervened');
    const publish = async (): Promise<void> => {
      // What waits in line behind it, wherever it stood.
      if (isTerminal(status)) await lines.moveOn([orderingKey]);
      if (isWoken) await publisher.publishOperations([jobOf(operation)]);
      if (rows.length > 0) await publisher.publishEvents(rows);
    };
    await withTimeout(
      publish(),
      LIMITS.enqueueTimeoutMs,
      () => new AppError('queue_unavailable', 'Redis did not answer in time'),
    ).catch((err: unknown) => {
      logger.warn({ err, operationId }, 'operation.intervened.unpublished');
    });
    if (isSettled(status)) hints.announce([{ operationId }]);
    return operation;
  };
}
