import { type Db, type Filter, Timestamp } from 'mongodb';
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
  openInLanes(lanes: readonly number[], limit: number): Promise<LaneRow[]>;
  /**
   * Open operations of other lines than these, whole stretches of lines, beginning with the line
   * after one and going round. Costs what it returns, however much stands in the lines left out.
   */
  openBesides(lanes: readonly number[], look: LookBesides): Promise<LaneRow[]>;
  /** Whole operations, by id: for what `openInLanes` left out. */
  whole(ids: readonly OperationDoc['_id'][]): Promise<ReadonlyMap<string, OperationDoc>>;
  /** Operations, of a tenant or of all, that are accepted and not begun, counted up to `max`. */
  countOpen(max: number, tenantId?: string): Promise<number>;
  /** Creation time of the oldest open operation of each lane that has one. */
  oldestOpen(lanes: readonly number[]): Promise<ReadonlyMap<number, Date>>;
}

/** An open operation as a look at its lane tells it: without its input when that is large. */
export type LaneRow = Omit<OperationDoc, 'input'> & {
  readonly input?: OperationDoc['input'];
  /** Stored size of the input. */
  readonly inputBytes: number;
};

export interface LookBesides {
  readonly lines: readonly string[];
  readonly after: string;
  readonly limit: number;
}

/** A look at a lane is at hundreds of operations, of which a few may be as large as a request. */
const WITHOUT_LARGE_INPUTS = {
  $set: {
    inputBytes: { $bsonSize: '$input' },
    input: {
      $cond: [{ $gt: [{ $bsonSize: '$input' }, LIMITS.laneInputBytesMax] }, '$$REMOVE', '$input'],
    },
  },
};

export function createOperationStore(db: Db): OperationStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  /** Out of the index that begins with the lane and goes on in that order. */
  const laneRows = (
    filter: Filter<OperationDoc>,
    order: Readonly<Record<string, 1>>,
    limit: number,
  ): Promise<LaneRow[]> =>
    operations
      .aggregate<LaneRow>(
        [
          { $match: { ...filter, status: 'accepted' } },
          { $sort: order },
          { $limit: limit },
          WITHOUT_LARGE_INPUTS,
        ],
        // The one that is in order: of a short backlog the server may take the other, and sort.
        { ...options, hint: { lane: 1, ...order }, batchSize: limit + 1 }, // all in one answer
      )
      .toArray();
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
    openInLanes: async (lanes, limit) =>
      laneRows({ lane: { $in: [...lanes] } }, { stamp: 1, _id: 1 }, limit),
    openBesides: async (lanes, { lines, after, limit }) => {
      const lane = { $in: [...lanes] };
      const order = { orderingKey: 1, stamp: 1, _id: 1 } as const;
      const others = { $nin: [...lines] };
      const behind = { lane, orderingKey: { $gt: after, ...others } };
      const found = await laneRows(behind, order, limit);
      if (found.length >= limit || after === '') return found;
      const before = { lane, orderingKey: { $lte: after, ...others } };
      return [...found, ...(await laneRows(before, order, limit - found.length))];
    },
    whole: async (ids) => {
      if (ids.length === 0) return new Map();
      const found = await operations.find({ _id: { $in: [...ids] } }, options).toArray();
      return new Map(found.map((operation) => [operation._id, operation]));
    },
    countOpen: async (max, tenantId) =>
      operations.countDocuments(
        { status: 'accepted', ...(tenantId !== undefined && { tenantId }) },
        { ...options, limit: max, hint: { status: 1, tenantId: 1, _id: -1 } },
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
