import { redisUrls } from '../config/env.ts';
import { LIMITS } from '../config/limits.ts';
import { closeRedis, openRedis } from '../core/infra/redis.ts';
import type { Platform } from '../core/runtime/platform.ts';
import { createSagas, createServices } from '../core/runtime/sagas.ts';
import { SAGA_QUEUE } from '../core/saga/operation.ts';
import type { LeaseTiming } from '../core/saga/heartbeat.ts';
import type { JobPublisher, SettledHints } from '../core/saga/ports.ts';
import type { OperationPayload } from '../queues/catalog.ts';
import { startPool } from './pool.ts';

interface SagaDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
  readonly timing?: LeaseTiming;
}

/** The saga pool: takes stepwise operations as far as they go. */
export function startSagas({ platform, publisher, hints, timing }: SagaDeps): void {
  const { env, logger, lifecycle } = platform;
  const { engine, heartbeat } = createSagas({
    platform,
    publisher,
    hints,
    services: createServices(platform),
    ...(timing !== undefined && { timing }),
  });
  const connection = openRedis({
    url: redisUrls(env).queue,
    name: 'saga',
    temper: 'patient',
    onError: (err) => {
      logger.debug({ err }, 'redis.saga.error');
    },
  });
  lifecycle.onClose('saga redis', () => closeRedis(connection));
  lifecycle.onClose('saga heartbeat', () => heartbeat.close());
  const pool = startPool<OperationPayload>({
    platform,
    connection,
    queue: SAGA_QUEUE,
    work: ({ operationId }) => engine.run(operationId),
    contextOf: ({ operationId, tenantId, trace }) => ({
      operationId,
      tenantId,
      correlationId: trace.correlationId,
    }),
  });
  lifecycle.onClose(
    'sagas',
    async () => {
      engine.close();
      await pool.close();
    },
    LIMITS.drainDeadlineMs + 5_000,
  );
}
