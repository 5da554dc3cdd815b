import type { Db, Document } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { WAITING_LIMITS } from '../../../config/waiting-limits.ts';
import { collection } from '../../infra/collections.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { WaitingKind } from '../../kernel/waiting-on.ts';
import { CHANNELS } from '../ports.ts';
import type { DeliveryDoc } from './delivery.ts';

export type DeliveryWaitingCounts = Readonly<Partial<Record<WaitingKind, number>>>;

const isDeferredAs = (code: string): Document => ({
  $and: [{ $eq: ['$deferral.code', code] }, { $gte: ['$deferral.until', '$notBefore'] }],
});

/** As far as a document tells, in the order of `deliveryWaitsOn`. */
const KIND_OF_DOCUMENT: Document = {
  $switch: {
    branches: [
      {
        case: {
          $and: [
            { $eq: ['$status', 'sending'] },
            { $lte: [{ $ifNull: ['$leaseUntil', new Date(8.64e15)] }, '$$NOW'] },
          ],
        },
        then: 'recovery',
      },
      { case: { $eq: ['$status', 'sending'] }, then: 'provider' },
      { case: { $lte: [{ $ifNull: ['$notBefore', '$$NOW'] }, '$$NOW'] }, then: 'queue' },
      { case: isDeferredAs('breaker_open'), then: 'breaker' },
      { case: isDeferredAs('throttled'), then: 'rate' },
      { case: isDeferredAs('quiet_hours'), then: 'timer' },
      { case: { $gt: [{ $size: '$attempts' }, 0] }, then: 'retry' },
    ],
    default: 'timer',
  },
};

/** Open deliveries of all tenants by what they wait for; of each status and channel the first many. */
export function createDeliveryWaitingCounts(
  db: Db,
  clock: Pick<Clock, 'monotonicMs'>,
): () => Promise<DeliveryWaitingCounts> {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const countsOf = async (place: Pick<DeliveryDoc, 'status' | 'channel'>) =>
    deliveries
      .aggregate<{ _id: WaitingKind; count: bigint | number }>(
        [
          { $match: { ...place, nextCheckAt: { $exists: true } } },
          { $limit: WAITING_LIMITS.countedMax },
          { $group: { _id: KIND_OF_DOCUMENT, count: { $sum: 1 } } },
        ],
        {
          hint: { status: 1, channel: 1, nextCheckAt: 1, _id: 1 },
          maxTimeMS: LIMITS.listMaxTimeMs,
          readPreference: 'secondaryPreferred',
        },
      )
      .toArray();
  const places = (['pending', 'sending'] as const).flatMap((status) =>
    CHANNELS.map((channel) => ({ status, channel })),
  );
  let latest:
    { readonly atMs: number; readonly counts: Promise<DeliveryWaitingCounts> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (latest === undefined || nowMs - latest.atMs > WAITING_LIMITS.countsKeptMs) {
      const counts = Promise.all(places.map(countsOf)).then((found) => {
        const sums: Partial<Record<WaitingKind, number>> = {};
        for (const { _id, count } of found.flat()) sums[_id] = (sums[_id] ?? 0) + Number(count);
        return sums;
      });
      latest = { atMs: nowMs, counts };
    }
    return latest.counts;
  };
}
