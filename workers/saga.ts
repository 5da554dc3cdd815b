import { redisUrls } from '../config/env.ts';
import { LIMITS } from '../config/limits.ts';
import { closeRedis, openRedis } from '../core/infra/redis.ts';
import type { Registry } from '../core/operations/registry.ts';
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
  /** By default every operation there is. */
  readonly registry?: Registry;
  /** 1: every journal write alone (for the benchmark). */
  readonly groupMax?: number;
}

/** The saga pool: takes stepwise operations as far as they go. */
export function startSagas({ platform, ...deps }: SagaDeps): void {
  const { env, logger, lifecycle } = platform;
  const services = createServices(platform);
  const { engine, heartbeat } = createSagas({ ...deps, platform, services });
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
