import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { faultOf } from '../infra/database-errors.ts';
import {
  DELIVERY_STATUSES,
  type DeliveryDoc,
  type DeliveryId,
  type DeliveryStatus,
  deliveryIdsOf,
  isFinal,
} from './delivery.ts';
import type { Policies } from './policies.ts';
import { CHANNELS, type Channel } from './ports.ts';

export interface DeliveryFilter {
  readonly status?: DeliveryStatus;
  readonly channel?: Channel;
  readonly userId?: string;
  readonly operationId?: string;
  readonly endpointId?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

/** Its first 48 bits are the time at which its operation was accepted. */
function timeInId(id: DeliveryId): Date {
  return new Date(Number.parseInt(id.slice(4, 16), 16));
}

interface Page {
  readonly after?: string;
  readonly limit: number;
}

/** One tenant's deliveries, for the people who look after them. */
export interface DeliveryReads {
  find(id: string): Promise<DeliveryDoc | undefined>;
  /** Newest first, by when they were made; those of one operation by id. */
  list(filter: DeliveryFilter, page: Page): Promise<readonly DeliveryDoc[]>;
  /** At most `max`, counted no further. */
  count(filter: DeliveryFilter, max: number, after?: string): Promise<number>;
  /**
   * Sets final deliveries back to the start: the same id, all their attempts anew, the journal kept.
   * Returns those that were; one that is still under way is left alone, and so is one that the
   * request of that token has set back before.
   */
  rearm(ids: readonly DeliveryId[], token?: string): Promise<readonly DeliveryDoc[]>;
  /** One that is there stays as it is. */
  insert(delivery: DeliveryDoc): Promise<void>;
}

export function createDeliveryReads(
  db: Db,
  { tenantId, policies }: { readonly tenantId: string; readonly policies: Policies },
): DeliveryReads {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const queryFor = async (filter: DeliveryFilter, after: string | undefined) => {
    if (after === undefined) return queryOf(tenantId, filter);
    const _id = after as DeliveryId;
    const fields = { ...options, projection: { createdAt: 1 } };
    const last = await deliveries.findOne({ _id, tenantId }, fields);
    // Of one that is not there the id alone tells when it was made, more or less.
    return queryOf(tenantId, filter, { _id, createdAt: last?.createdAt ?? timeInId(_id) });
  };
  return Object.freeze({
    find: async (id) =>
      (await deliveries.findOne({ _id: id as DeliveryId, tenantId }, options)) ?? undefined,
    list: async (filter, { after, limit }) =>
      deliveries
        .find(await queryFor(filter, after), options)
        .sort(filter.operationId === undefined ? { createdAt: -1, _id: -1 } : { _id: -1 })
        .limit(limit)
        .toArray(),
    count: async (filter, max, after) =>
      deliveries.countDocuments(await queryFor(filter, after), { ...options, limit: max }),
    rearm: async (ids, token) => {
      const fresh = token === undefined ? {} : { resendTokens: { $ne: token } };
      const mine = { _id: { $in: [...ids] }, tenantId, status: { $in: FINAL }, ...fresh };
      const before = await deliveries.find(mine, options).toArray();
      const writes = before.map(({ _id, seq, status, channel }) => ({
        updateOne: {
          filter: { _id, seq, status, ...fresh },
          update: rearmed(policies[channel].lifeMs, token),
        },
      }));
      if (writes.length > 0) await deliveries.bulkWrite(writes, { ordered: false });
      // Whoever was first: the job of this number is the one that it needs.
      return before.map((delivery) => ({ ...delivery, seq: delivery.seq + 1 }));
    },
    insert: async (delivery) => {
      try {
        await deliveries.insertOne(delivery);
      } catch (error) {
        if (faultOf(error) !== 'duplicate-key') throw error;
      }
    },
  } satisfies DeliveryReads);
}

const FINAL: readonly DeliveryStatus[] = DELIVERY_STATUSES.filter(isFinal);

function rearmed(lifeMs: number, token?: string) {
  return [
    {
      $set: {
        status: 'pending',
        seq: { $add: ['$seq', 1] },
        resends: { $add: [{ $ifNull: ['$resends', 0] }, 1] },
        attemptsUsed: 0,
        nextCheckAt: { $add: ['$$NOW', LIMITS.deliveryRecheckMs] },
        expiresAt: { $add: ['$$NOW', lifeMs] },
        updatedAt: '$$NOW',
        ...(token !== undefined && {
          resendTokens: {
            $slice: [
              { $concatArrays: [{ $ifNull: ['$resendTokens', []] }, [token]] },
              -LIMITS.resendTokensMax,
            ],
          },
        }),
      },
    },
    {
      $unset: [
        'reason',
        'completedAt',
        'deferral',
        'notBefore',
        'deadline',
        'isProlonged',
        'throttles',
      ],
    },
  ];
}

type Place = Pick<DeliveryDoc, '_id' | 'createdAt'>;

function queryOf(tenantId: string, filter: DeliveryFilter, after?: Place): Filter<DeliveryDoc> {
  const { operationId, createdAfter: _after, createdBefore: _before, ...equal } = filter;
  if (operationId !== undefined) {
    const [from, to] = deliveryIdsOf(operationId);
    const upper = after === undefined || after._id > to ? to : after._id;
    return { tenantId, ...equal, ...timesOf(filter), _id: { $gte: from, $lt: upper } };
  }
  return {
    tenantId,
    // The index begins with the channel: the server merges all of them in order.
    ...(isAnywhere(filter) && { channel: { $in: [...CHANNELS] } }),
    ...equal,
    ...timesOf(filter, after?.createdAt),
    ...(after !== undefined && {
      $or: [{ createdAt: { $lt: after.createdAt } }, { _id: { $lt: after._id } }],
    }),
  };
}

/** Nothing in the filter has an index of its own: nearly all deliveries are sent. */
function isAnywhere({ channel, userId, endpointId, status = 'sent' }: DeliveryFilter): boolean {
  return (
    channel === undefined && userId === undefined && endpointId === undefined && status === 'sent'
  );
}

function timesOf({ createdAfter, createdBefore }: DeliveryFilter, upTo?: Date) {
  const times = {
    ...(createdAfter !== undefined && { $gt: createdAfter }),
    ...(createdBefore !== undefined && { $lt: createdBefore }),
    ...(upTo !== undefined && { $lte: upTo }),
  };
  return Object.keys(times).length === 0 ? {} : { createdAt: times };
}
