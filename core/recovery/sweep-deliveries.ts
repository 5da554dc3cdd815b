import { LIMITS } from '../../config/limits.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { jobOfDelivery } from '../notifications/delivery/delivery.ts';
import type {
  DeliveryRecoveryStore,
  OverdueDelivery,
} from '../notifications/delivery/delivery-recovery-store.ts';
import { CHANNELS, type Channel } from '../notifications/ports.ts';
import type { DeliveryPublisher } from '../notifications/delivery/publisher.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { News } from './news.ts';

export interface SweepDeliveriesDeps {
  readonly store: DeliveryRecoveryStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: DeliveryPublisher;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly news: News;
}

/** Sweeps of pages; what is left comes with the next one. */
const PAGES_MAX = 25;

/**
 * R11: deliveries that are overdue. A job still queued is slow; one that is gone (an emptied Redis,
 * a crash between insert and enqueue, a worker that died) is enqueued again under the next number.
 * Who gets it sees for itself what there is to do.
 */
export async function sweepDeliveries(deps: SweepDeliveriesDeps): Promise<number> {
  const { store, databaseTime, news, logger } = deps;
  const { now } = await databaseTime();
  let repaired = await eachPage(deps, true, () => store.findAbandoned(now, LIMITS.sweepBatch));
  for (const channel of CHANNELS) {
    const by = await missingBy(deps, channel, now);
    repaired += await eachPage(deps, true, () => store.findOverdue(channel, by, LIMITS.sweepBatch));
    const from = news.since(channel, now);
    let seenUntil = from;
    repaired += await eachPage(deps, false, async (after) => {
      const page = await store.findNews(channel, { from, by: now, after }, LIMITS.sweepBatch);
      const isAll = page.length < LIMITS.sweepBatch;
      seenUntil = isAll ? now : (page.at(-1)?.nextCheckAt ?? seenUntil);
      return page;
    });
    news.seen(channel, seenUntil);
  }
  if (repaired > 0) logger.info({ deliveries: repaired }, 'deliveries.redispatched');
  return repaired;
}

/** What is put off is not read again by the next page; what is left as it is is passed over. */
async function eachPage(
  deps: SweepDeliveriesDeps,
  putsOff: boolean,
  read: (after: OverdueDelivery | undefined) => Promise<readonly OverdueDelivery[]>,
): Promise<number> {
  let repaired = 0;
  let after: OverdueDelivery | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const overdue = await read(after);
    if (overdue.length > 0) repaired += await sweepPage(deps, overdue, putsOff);
    after = overdue.at(-1);
    if (overdue.length < LIMITS.sweepBatch) break;
  }
  return repaired;
}

/** As of operations (`sweep.ts`): what became due after the next one still waits behind it. */
async function missingBy(
  { store, publisher }: SweepDeliveriesDeps,
  channel: Channel,
  now: Date,
): Promise<Date> {
  const at = await store.dueOf(await publisher.nextDeliveries(channel, LIMITS.sweepHeads));
  if (at === undefined) return now;
  return new Date(Math.min(now.getTime(), at.getTime() + LIMITS.deliveryRecheckMs));
}

async function sweepPage(
  { store, databaseTime, publisher, metrics }: SweepDeliveriesDeps,
  overdue: readonly OverdueDelivery[],
  putsOff: boolean,
): Promise<number> {
  const { now } = await databaseTime();
  metrics.sweepStale.inc({ rule: 'R11' }, overdue.length);
  const presence = await publisher.findDeliveryJobs(overdue.map(jobOfDelivery));
  const slow = overdue.filter((_delivery, index) => presence[index] === 'queued');
  const lost = overdue.filter((_delivery, index) => presence[index] !== 'queued');
  const until = new Date(now.getTime() + LIMITS.deliveryRecheckMs);
  await Promise.all([store.putOff(putsOff ? slow : [], until), store.redispatch(lost, until)]);
  // Where another sweeper was first, its job has this very number.
  // Alone: what another one of its job does to a worker is not its doing.
  const jobs = lost.map(({ jobId: _shared, ...delivery }) => ({
    ...jobOfDelivery(delivery),
    seq: delivery.seq + 1,
  }));
  if (jobs.length > 0) await publisher.publishDeliveries(jobs);
  metrics.sweepRepaired.inc({ rule: 'R11' }, jobs.length);
  for (const { nextCheckAt } of lost) {
    const overdueMs = now.getTime() - (nextCheckAt ?? now).getTime();
    metrics.timeToRepair.observe({ rule: 'R11' }, overdueMs / 1_000);
  }
  return jobs.length;
}
