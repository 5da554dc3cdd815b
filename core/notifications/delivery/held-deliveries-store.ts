import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import type { DeliveryDoc, DeliveryJob } from './delivery.ts';

export type HeldDelivery = Pick<DeliveryDoc, '_id' | 'tenantId' | 'channel' | 'seq'>;

/** Deliveries that a pause has put off. */
export interface HeldDeliveriesStore {
  find(query: {
    readonly pause?: string;
    readonly except?: readonly string[];
    readonly limit: number;
  }): Promise<readonly HeldDelivery[]>;
  /** They are due now, each in a job of its own: returns those jobs. */
  release(held: readonly HeldDelivery[]): Promise<readonly DeliveryJob[]>;
  count(pause: string, max: number): Promise<number>;
}

export function createHeldDeliveriesStore(db: Db): HeldDeliveriesStore {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    find: async ({ pause, except = [], limit }) =>
      deliveries
        .find<HeldDelivery>(
          { pausedBy: pause ?? { $exists: true, $nin: [...except] }, status: 'pending' },
          { ...options, projection: { tenantId: 1, channel: 1, seq: 1 } },
        )
        .sort({ pausedBy: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    release: async (held) => {
      if (held.length === 0) return [];
      const writes = held.map(({ _id, seq }) => ({
        updateOne: {
          filter: { _id, seq, status: 'pending' as const, pausedBy: { $exists: true } },
          update: [
            {
              $set: {
                seq: { $add: ['$seq', 1] },
                notBefore: '$$NOW',
                nextCheckAt: { $add: ['$$NOW', LIMITS.deliveryRecheckMs] },
              },
            },
            { $unset: ['jobId', 'pausedBy'] },
          ],
        },
      }));
      await deliveries.bulkWrite(writes, { ordered: false });
      return held.map(({ _id: deliveryId, tenantId, channel, seq }) => ({
        ...{ deliveryId, tenantId, channel },
        seq: seq + 1,
      }));
    },
    count: async (pause, max) =>
      deliveries.countDocuments({ pausedBy: pause, status: 'pending' }, { ...options, limit: max }),
  } satisfies HeldDeliveriesStore);
}
