import { LIMITS } from '../../config/limits.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { jobOfDelivery } from '../notifications/delivery.ts';
import type {
  DeliveryRecoveryStore,
  OverdueDelivery,
} from '../notifications/delivery-recovery-store.ts';
import { CHANNELS, type Channel } from '../notifications/ports.ts';
import type { DeliveryPublisher } from '../notifications/publisher.ts';
import { subjectOf } from '../saga/operation.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface SweepDeliveriesDeps {
  readonly store: DeliveryRecoveryStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: DeliveryPublisher;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Sweeps of pages; what is left comes with the next one. */
const PAGES_MAX = 25;

/**
 * R11: deliveries that are overdue. A job still queued is slow; one that is gone (an emptied Redis,
 * a crash between insert and enqueue, a worker that died) is enqueued again under the next number.
 * Who gets it sees for itself what there is to do.
 */
export async function sweepDeliveries(deps: SweepDeliveriesDeps): Promise<number> {
  const { store, databaseTime, logger } = deps;
  const looks = [
    (now: Date) => store.findAbandoned(now, LIMITS.sweepBatch),
    ...CHANNELS.map((channel) => async (now: Date) => {
      const by = await missingBy(deps, channel, now);
      return store.findOverdue(channel, by, LIMITS.sweepBatch);
    }),
  ];
  let repaired = 0;
  for (const look of looks) {
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const { now } = await databaseTime();
      const overdue = await look(now);
      if (overdue.length > 0) repaired += await sweepPage(deps, overdue, now);
      if (overdue.length < LIMITS.sweepBatch) break;
    }
  }
  if (repaired > 0) logger.info({ deliveries: repaired }, 'deliveries.redispatched');
  return repaired;
}

/** As of operations (`sweep.ts`): what became due after the next one still waits behind it. */
async function missingBy(
  { store, publisher }: SweepDeliveriesDeps,
  channel: Channel,
  now: Date,
): Promise<Date> {
  const next = await publisher.nextDeliveryJobs(channel, LIMITS.sweepHeads);
  const last = await store.lastDue(next.map(subjectOf));
  if (last === undefined) return now;
  return new Date(Math.min(now.getTime(), last.getTime() + LIMITS.deliveryRecheckMs));
}

async function sweepPage(
  { store, publisher, metrics }: SweepDeliveriesDeps,
  overdue: readonly OverdueDelivery[],
  now: Date,
): Promise<number> {
  metrics.sweepStale.inc({ rule: 'R11' }, overdue.length);
  const presence = await publisher.findDeliveryJobs(overdue.map(jobOfDelivery));
  const slow = overdue.filter((_delivery, index) => presence[index] === 'queued');
  const lost = overdue.filter((_delivery, index) => presence[index] !== 'queued');
  const until = new Date(now.getTime() + LIMITS.deliveryRecheckMs);
  await Promise.all([store.putOff(slow, until), store.redispatch(lost, until)]);
  // Where another sweeper was first, its job has this very number.
  const jobs = lost.map((delivery) => ({ ...jobOfDelivery(delivery), seq: delivery.seq + 1 }));
  if (jobs.length > 0) await publisher.publishDeliveries(jobs);
  metrics.sweepRepaired.inc({ rule: 'R11' }, jobs.length);
  for (const { nextCheckAt } of lost) {
    const overdueMs = now.getTime() - (nextCheckAt ?? now).getTime();
    metrics.timeToRepair.observe({ rule: 'R11' }, overdueMs / 1_000);
  }
  return jobs.length;
}
