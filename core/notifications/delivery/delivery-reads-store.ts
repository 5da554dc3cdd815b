import type { Db, Filter, Sort } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { faultOf } from '../../infra/database-errors.ts';
import { behindTimeKey, readTimeKey, timeSort } from '../../kernel/time-order.ts';
import {
  DELIVERY_STATUSES,
  type DeliveryDoc,
  type DeliveryId,
  type DeliveryStatus,
  deliveryIdsOf,
  isFinal,
  newSharedJobId,
} from './delivery.ts';
import type { View } from '../../service-config/live-settings.ts';
import type { Policies } from '../policies.ts';
import { CHANNELS, type Channel } from '../ports.ts';

export interface DeliveryFilter {
  readonly status?: DeliveryStatus;
  readonly channel?: Channel;
  readonly userId?: string;
  readonly operationId?: string;
  readonly endpointId?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
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
  { tenantId, policies }: { readonly tenantId: string; readonly policies: View<Policies> },
): DeliveryReads {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  return Object.freeze({
    find: async (id) =>
      (await deliveries.findOne({ _id: id as DeliveryId, tenantId }, options)) ?? undefined,
    list: async (filter, { after, limit }) =>
      deliveries
        .find(queryOf(tenantId, filter, after), options)
        .sort(sortOf(filter))
        .limit(limit)
        .toArray(),
    count: (filter, max, after) =>
      deliveries.countDocuments(queryOf(tenantId, filter, after), { ...options, limit: max }),
    rearm: async (ids, token) => {
      const fresh = token === undefined ? {} : { resendTokens: { $ne: token } };
      const mine = { _id: { $in: [...ids] }, tenantId, status: { $in: FINAL }, ...fresh };
      const before = await deliveries.find(mine, options).toArray();
      const jobs = sharedJobs(before);
      const writes = before.map(({ _id, seq, status, channel }) => ({
        updateOne: {
          filter: { _id, seq, status, ...fresh },
          update: rearmed({
            lifeMs: policies.of(tenantId)[channel].lifeMs,
            token,
            jobId: jobs.get(_id),
          }),
        },
      }));
      if (writes.length > 0) await deliveries.bulkWrite(writes, { ordered: false });
      // Whoever was first: the job of this number is the one that it needs.
      return before.map(({ jobId: _earlier, ...delivery }) => {
        const jobId = jobs.get(delivery._id);
        return { ...delivery, seq: delivery.seq + 1, ...(jobId !== undefined && { jobId }) };
      });
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

/** Those of a channel go in jobs of several; one by itself has its own. */
function sharedJobs(deliveries: readonly DeliveryDoc[]): ReadonlyMap<DeliveryId, string> {
  const jobs = new Map<DeliveryId, string>();
  for (const channel of CHANNELS) {
    const some = deliveries.filter((one) => one.channel === channel);
    for (let from = 0; from < some.length; from += LIMITS.jobDeliveriesMax) {
      const shared = some.slice(from, from + LIMITS.jobDeliveriesMax);
      const jobId = newSharedJobId(shared.length);
      if (shared.length > 1) for (const { _id } of shared) jobs.set(_id, jobId);
    }
  }
  return jobs;
}

interface Rearming {
  readonly lifeMs: number;
  readonly token: string | undefined;
  readonly jobId: string | undefined;
}

function rearmed({ lifeMs, token, jobId }: Rearming) {
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
        ...(jobId !== undefined && { jobId }),
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
        ...(jobId === undefined ? ['jobId'] : []),
      ],
    },
  ];
}

/**
 * By the time at which they were made, whenever their operation was accepted; those of one operation,
 * which an index has by id alone, by id.
 */
function sortOf({ operationId }: DeliveryFilter): Sort {
  return operationId === undefined ? timeSort('desc') : { _id: -1 };
}

function queryOf(tenantId: string, filter: DeliveryFilter, after?: string): Filter<DeliveryDoc> {
  const { operationId, createdAfter, createdBefore, ...equal } = filter;
  const times = {
    ...(createdAfter !== undefined && { $gt: createdAfter }),
    ...(createdBefore !== undefined && { $lt: createdBefore }),
  };
  const wanted = {
    tenantId,
    ...equal,
    ...(Object.keys(times).length > 0 && { createdAt: times }),
  };
  if (operationId !== undefined) return { ...wanted, _id: idsBehind(operationId, after) };
  // The index begins with the channel: the server merges all of them in order, if each is named.
  const places = isAnywhere(filter)
    ? CHANNELS.map((channel) => ({ ...wanted, channel }))
    : [wanted];
  const ranges = behindTimeKey(after, { order: 'desc' });
  const parts = places.flatMap((place) => ranges.map((range) => bothOf(place, range)));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { $or: parts };
}

function idsBehind(operationId: string, after: string | undefined) {
  const [from, to] = deliveryIdsOf(operationId);
  const last = after === undefined ? undefined : readTimeKey(after)?.id;
  return { $gte: from, $lt: last !== undefined && last < to ? (last as DeliveryId) : to };
}

/** A part of the list's order may speak of the time as well. */
function bothOf(wanted: object, part: object): Filter<DeliveryDoc> {
  const isTimed = (filter: object): boolean => 'createdAt' in filter;
  return isTimed(wanted) && isTimed(part) ? { ...wanted, $and: [part] } : { ...wanted, ...part };
}

/** Nothing in the filter has an index of its own: nearly all deliveries are sent. */
function isAnywhere(filter: DeliveryFilter): boolean {
  const { operationId, channel, userId, endpointId, status = 'sent' } = filter;
  const isNamed = [operationId, channel, userId, endpointId].some((one) => one !== undefined);
  return !isNamed && status === 'sent';
}
