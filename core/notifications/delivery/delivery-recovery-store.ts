import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { middleOf } from '../../kernel/middle.ts';
import type { DeliveryDoc, DeliveryId } from './delivery.ts';
import { CHANNELS, type Channel } from '../ports.ts';

/** Without what it says, which may be large. */
export type OverdueDelivery = Pick<
  DeliveryDoc,
  '_id' | 'tenantId' | 'channel' | 'seq' | 'jobId' | 'status' | 'nextCheckAt'
>;

const PLACE = { tenantId: 1, channel: 1, seq: 1, jobId: 1, status: 1, nextCheckAt: 1 } as const;

/** Repairs by compare-and-set on what was read, so that two sweepers do nothing twice. */
export interface DeliveryRecoveryStore {
  /** Deliveries that are due, and that somebody should have moved by then: the most overdue first. */
  findOverdue(channel: Channel, by: Date, limit: number): Promise<readonly OverdueDelivery[]>;
  /** Deliveries that became overdue between two moments, in that order, after a place in it. */
  findNews(channel: Channel, between: Between, limit: number): Promise<readonly OverdueDelivery[]>;
  /** Deliveries whose worker should have told by `now` what came of them. */
  findAbandoned(now: Date, limit: number): Promise<readonly OverdueDelivery[]>;
  /** When the middle one of some deliveries became due. */
  dueOf(ids: readonly string[]): Promise<Date | undefined>;
  putOff(deliveries: readonly OverdueDelivery[], until: Date): Promise<void>;
  /** Gives each a job of its own, of the next number: one that is known in any state is ignored. */
  redispatch(deliveries: readonly OverdueDelivery[], until: Date): Promise<void>;
}

interface Between {
  readonly from: Date;
  readonly by: Date;
  readonly after: OverdueDelivery | undefined;
}

export function createDeliveryRecoveryStore(db: Db): DeliveryRecoveryStore {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const inOrder = async (filter: Filter<DeliveryDoc>, limit: number): Promise<OverdueDelivery[]> =>
    deliveries
      .find<OverdueDelivery>(filter, { ...options, projection: PLACE })
      .sort({ nextCheckAt: 1, _id: 1 })
      .limit(limit)
      .toArray();
  return Object.freeze({
    findOverdue: (channel, by, limit) =>
      inOrder({ status: 'pending', channel, nextCheckAt: { $lt: by } }, limit),
    findNews: (channel, { from, by, after }, limit) => {
      // The bound is for the index, which then goes on where it ended; several share a moment.
      const at = after?.nextCheckAt;
      const behind =
        after === undefined || at === undefined
          ? {}
          : { $or: [{ nextCheckAt: { $gt: at } }, { _id: { $gt: after._id } }] };
      const between = { nextCheckAt: { $gte: at ?? from, $lt: by } };
      return inOrder({ status: 'pending', channel, ...between, ...behind }, limit);
    },
    findAbandoned: (now, limit) => {
      const channel = { $in: [...CHANNELS] };
      return inOrder({ status: 'sending', channel, nextCheckAt: { $lt: now } }, limit);
    },
    dueOf: async (ids) => {
      const found = await deliveries
        .find(
          { _id: { $in: ids as DeliveryId[] } },
          { ...options, projection: { createdAt: 1, updatedAt: 1, notBefore: 1 } },
        )
        .toArray();
      return middleOf(
        found.map(({ createdAt, updatedAt = createdAt, notBefore = updatedAt }) =>
          notBefore > updatedAt ? notBefore : updatedAt,
        ),
      );
    },
    putOff: async (slow, until) => {
      if (slow.length === 0) return;
      const writes = slow.map((delivery) => ({
        updateOne: { filter: placeOf(delivery), update: { $set: { nextCheckAt: until } } },
      }));
      await deliveries.bulkWrite(writes, { ordered: false });
    },
    redispatch: async (lost, until) => {
      if (lost.length === 0) return;
      const writes = lost.map((delivery) => ({
        updateOne: {
          filter: placeOf(delivery),
          update: {
            $set: { nextCheckAt: until },
            $inc: { seq: 1 },
            $unset: { jobId: '' as const },
          },
        },
      }));
      await deliveries.bulkWrite(writes, { ordered: false });
    },
  } satisfies DeliveryRecoveryStore);
}

function placeOf({ _id, seq, status, nextCheckAt }: OverdueDelivery) {
  return { _id, seq, status, nextCheckAt: nextCheckAt ?? { $exists: false } };
}
