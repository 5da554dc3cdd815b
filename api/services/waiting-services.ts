import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { createLeaseReads } from '../../core/infra/lease-store.ts';
import { withTimeout } from '../../core/kernel/clock.ts';
import type { JobSight, WaitingOn } from '../../core/kernel/waiting-on.ts';
import { createBreakerSight } from '../../core/notifications/admission/breaker-sight-cache.ts';
import {
  type DeliveryDoc,
  isFinal,
  jobOfDelivery,
} from '../../core/notifications/delivery/delivery.ts';
import { deliveryWaitsOn } from '../../core/notifications/delivery/delivery-waiting.ts';
import type { DeliveryPublisher } from '../../core/notifications/delivery/publisher.ts';
import type { Registry } from '../../core/operations/define.ts';
import { createLineStore } from '../../core/operations/line-store.ts';
import type { JobPublisher } from '../../core/operations/ports.ts';
import { type WaitingLookup, createWaitingLookup } from '../../core/operations/waiting-lookup.ts';
import { WAITING_LIMITS } from '../../config/waiting-limits.ts';
import { PAYMENT_HOLD, paymentKeyOf } from '../../runtime/payments.ts';
import type { Platform } from '../../runtime/platform.ts';

/** Why open work waits. */
export interface WaitingServices {
  readonly operations: WaitingLookup;
  readonly delivery: (delivery: DeliveryDoc) => Promise<WaitingOn | undefined>;
}

interface WaitingDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher & DeliveryPublisher;
  readonly registry: Registry;
}

export function openWaiting({ platform, publisher, registry }: WaitingDeps): WaitingServices {
  const { mongo, clock, redis: roles } = platform;
  const { db } = mongo;
  const redis = roles.open('state', { name: 'waiting', whenAway: 'fail' });
  const sightOf = createBreakerSight({ redis, prefix: roles.prefix });
  return Object.freeze({
    operations: createWaitingLookup({
      registry,
      leases: createLeaseReads(db),
      lines: createLineStore(db),
      publisher,
      providerOf: async (name) => ({ name, ...(await sightOf(paymentKeyOf(name), PAYMENT_HOLD)) }),
      databaseTime: () => readDatabaseTime(db),
      clock,
    }),
    delivery: async (delivery) => {
      if (isFinal(delivery.status)) return undefined;
      const now = new Date(clock.now());
      const isDue = delivery.notBefore === undefined || delivery.notBefore <= now;
      if (delivery.status !== 'pending' || !isDue) return deliveryWaitsOn(delivery, { now });
      return deliveryWaitsOn(delivery, { now, job: await jobSightOf(publisher, delivery) });
    },
  } satisfies WaitingServices);
}

async function jobSightOf(publisher: DeliveryPublisher, delivery: DeliveryDoc): Promise<JobSight> {
  const late = (): Error => new Error('too late to be of use');
  const found = publisher.findDeliveryJobs([jobOfDelivery(delivery)]);
  const [job = 'gone'] = await withTimeout(found, WAITING_LIMITS.lookMs, late).catch(
    (): readonly JobSight[] => ['away'],
  );
  return job;
}
