import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { DeliveryDoc } from './delivery.ts';

/** Repairs by compare-and-set on what was read, so that two sweepers do nothing twice. */
export interface DeliveryRecoveryStore {
  /** Deliveries that somebody should have moved by `now`, the most overdue first. */
  findOverdue(now: Date, limit: number): Promise<readonly DeliveryDoc[]>;
  putOff(deliveries: readonly DeliveryDoc[], until: Date): Promise<void>;
  /** Gives each the next job number: one that is known in any state would be ignored. */
  redispatch(deliveries: readonly DeliveryDoc[], until: Date): Promise<void>;
}

export function createDeliveryRecoveryStore(db: Db): DeliveryRecoveryStore {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  return Object.freeze({
    findOverdue: async (now, limit) =>
      deliveries
        .find({ nextCheckAt: { $lt: now } }, { maxTimeMS: LIMITS.mongoMaxTimeMs })
        .sort({ nextCheckAt: 1 })
        .limit(limit)
        .toArray(),
    putOff: async (overdue, until) => {
      if (overdue.length === 0) return;
      const writes = overdue.map((delivery) => ({
        updateOne: { filter: placeOf(delivery), update: { $set: { nextCheckAt: until } } },
      }));
      await deliveries.bulkWrite(writes, { ordered: false });
    },
    redispatch: async (overdue, until) => {
      if (overdue.length === 0) return;
      const writes = overdue.map((delivery) => ({
        updateOne: {
          filter: placeOf(delivery),
          update: { $set: { nextCheckAt: until }, $inc: { seq: 1 } },
        },
      }));
      await deliveries.bulkWrite(writes, { ordered: false });
    },
  } satisfies DeliveryRecoveryStore);
}

function placeOf({ _id, seq, status, nextCheckAt }: DeliveryDoc) {
  return { _id, seq, status, nextCheckAt: nextCheckAt ?? { $exists: false } };
}
