import { type SagaShares, sagaShares } from '../config/saga-shares.ts';
import { createLocalBreakers } from '../core/notifications/admission/breaker-cache.ts';
import { createNearBreakers } from '../core/notifications/admission/breaker-near-cache.ts';
import { createSharedBreakers } from '../core/notifications/admission/breaker-shared-cache.ts';
import type { BreakerTuning } from '../core/notifications/admission/breaker.ts';
import type { Registry } from '../core/operations/define.ts';
import { paymentTermsOf, paymentTuningsOf } from '../runtime/payment-settings.ts';
import { createPaymentAdmission } from '../runtime/payments.ts';
import type { Platform } from '../runtime/platform.ts';
import { walletWriteThrough } from '../runtime/wallet-cache.ts';
import { createSagas, createServices } from '../runtime/sagas.ts';
import { SAGA_QUEUE } from '../core/operations/operation.ts';
import { isSampled, traceIdOf } from '../core/telemetry/tracer.ts';
import type { LeaseTiming } from '../core/saga/heartbeat.ts';
import type { JobPublisher } from '../core/operations/ports.ts';
import type { SettledHints } from '../core/events/hints.ts';
import type { PaymentAdmission } from '../core/operations/services.ts';
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
  readonly payments?: PaymentTuning;
}

/** What tests are in a hurry about. */
interface PaymentTuning {
  readonly breaker?: BreakerTuning;
  readonly attemptMs?: number;
}

/** The saga pool: takes stepwise operations as far as they go. */
export function startSagas({ platform, payments = {}, ...deps }: SagaDeps): void {
  const { redis, lifecycle, settings } = platform;
  const concurrency = settings.view((all) => all.read('saga.concurrency'));
  const shares = settings.view((all) => sagaShares(all.read('saga.concurrency')));
  const services = createServices(platform, {
    admission: openPaymentAdmission(platform, () => shares.now, payments.breaker),
    terms: paymentTermsOf(settings),
    ...(payments.attemptMs !== undefined && { attemptMs: payments.attemptMs }),
  });
  const onCommitted = walletWriteThrough(platform);
  const { engine, heartbeat } = createSagas({
    ...deps,
    platform,
    services,
    ...(onCommitted !== undefined && { onCommitted }),
    shares: () => shares.now,
  });
  const connection = redis.open('queue', { name: 'saga', whenAway: 'wait' });
  lifecycle.onClose('saga heartbeat', () => heartbeat.close());
  const pool = startPool<OperationPayload>({
    platform,
    connection,
    queue: SAGA_QUEUE,
    concurrency: concurrency.now,
    work: ({ operationId }) => engine.run(operationId),
    contextOf: ({ operationId, tenantId, trace }) => ({
      operationId,
      tenantId,
      correlationId: trace.correlationId,
      ...(isSampled(trace.traceparent) && { traceId: traceIdOf(trace.traceparent) }),
    }),
  });
  settings.onChange(() => {
    pool.setConcurrency(concurrency.now);
  });
  lifecycle.onDrain('sagas', async () => {
    engine.close();
    await pool.close();
  });
}

/** Its breakers are shared through Redis, and this process's own while that is away. */
function openPaymentAdmission(
  platform: Platform,
  shares: () => SagaShares,
  fixed?: BreakerTuning,
): PaymentAdmission {
  const { clock, logger, redis: roles, settings, pauses } = platform;
  const tuning = fixed === undefined ? paymentTuningsOf(settings) : () => fixed;
  const { prefix } = roles;
  const redis = roles.open('state', { name: 'payments', whenAway: 'fail' });
  const local = createLocalBreakers(clock, tuning);
  const shared = createSharedBreakers({ redis, prefix, local, logger, tuning });
  const breakers = createNearBreakers({ shared, clock });
  return createPaymentAdmission({ platform, breakers, shares, settings, pauses });
}
