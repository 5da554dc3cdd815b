import { type Db, Timestamp } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { duplicatesOf } from '../infra/database-errors.ts';
import type { OperationDoc, Stamp } from './operation.ts';

/**
 * MongoDB replaces an empty timestamp at the top of a document by its logical clock when it inserts
 * it, a new one for every document
 * (https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps).
 */
export const UNSTAMPED: Stamp = Timestamp.fromBits(0, 0);

/** Writes and decision reads of operations: always on the primary, at majority. */
export interface OperationStore {
  /**
   * Inserts what is not there yet; returns the indexes refused by the unique key.
   *
   * @throws the driver's error when the outcome of some insert is unknown.
   */
  insert(operations: readonly OperationDoc[]): Promise<ReadonlySet<number>>;
  findByKeys(
    keys: readonly Pick<OperationDoc, 'tenantId' | 'idempotencyKey'>[],
  ): Promise<readonly OperationDoc[]>;
  /** Ordering keys of operations of these ids, by id. */
  orderingKeys(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The oldest open operations of some lanes, in the order in which they were accepted. */
  openInLanes(
    lanes: readonly number[],
    limit: number,
    exceptLines?: readonly string[],
  ): Promise<OperationDoc[]>;
  /** Operations that are accepted and not settled, counted up to `max`. */
  countOpen(max: number): Promise<number>;
  /** Creation time of the oldest open operation of each lane that has one. */
  oldestOpen(lanes: readonly number[]): Promise<ReadonlyMap<number, Date>>;
}

export function createOperationStore(db: Db): OperationStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    insert: async (docs: readonly OperationDoc[]) => {
      try {
        await operations.insertMany([...docs], { ordered: false });
        return new Set<number>();
      } catch (error) {
        return duplicatesOf(error);
      }
    },
    findByKeys: async (keys) => {
      if (keys.length === 0) return [];
      const byTenant = new Map<string, string[]>();
      for (const { tenantId, idempotencyKey } of keys) {
        const list = byTenant.get(tenantId);
        if (list === undefined) byTenant.set(tenantId, [idempotencyKey]);
        else list.push(idempotencyKey);
      }
      const found = await Promise.all(
        [...byTenant].map(([tenantId, list]) =>
          operations.find({ tenantId, idempotencyKey: { $in: list } }, options).toArray(),
        ),
      );
      return found.flat();
    },
    orderingKeys: async (tenantId, ids) => {
      const found = await operations
        .find(
          { _id: { $in: ids as OperationDoc['_id'][] }, tenantId },
          { ...options, projection: { orderingKey: 1 } },
        )
        .toArray();
      return new Map(found.map((operation) => [operation._id, operation.orderingKey]));
    },
    openInLanes: async (lanes, limit, exceptLines = []) =>
      operations
        .find(
          {
            lane: { $in: [...lanes] },
            status: 'accepted',
            ...(exceptLines.length > 0 && { orderingKey: { $nin: [...exceptLines] } }),
          },
          options,
        )
        .sort({ stamp: 1, _id: 1 })
        .limit(limit)
        .batchSize(limit + 1) // all in one answer
        .toArray(),
    countOpen: async (max) =>
      operations.countDocuments(
        { status: 'accepted', lane: { $gte: 0 } },
        { ...options, limit: max },
      ),
    oldestOpen: async (lanes) => {
      const found = await Promise.all(
        lanes.map((lane) =>
          operations
            .find({ lane, status: 'accepted' }, { ...options, projection: { createdAt: 1 } })
            .sort({ stamp: 1, _id: 1 })
            .limit(1)
            .toArray(),
        ),
      );
      return new Map(
        found.flatMap(([first], index) => {
          const lane = lanes[index];
          return first === undefined || lane === undefined ? [] : [[lane, first.createdAt]];
        }),
      );
    },
  } satisfies OperationStore);
}
