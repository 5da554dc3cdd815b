import type { AnyBulkWriteOperation, ClientSession, Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';
import type { OperationDoc, Stamp } from './operation.ts';
import type { OutboxEvent, OutboxRow } from './ports.ts';
import { type OperationStatus, assertMove } from './status.ts';

/** What an operation is to become. */
export interface Finish {
  readonly operation: OperationDoc;
  readonly status: OperationStatus;
  readonly result?: Json;
  readonly error?: Failure;
}

interface Line {
  readonly orderingKey: string;
  readonly lane: number;
}

interface FinishStamp {
  readonly worker: string;
  readonly batch: string;
  readonly at: Date;
}

export interface SettleStore {
  /**
   * Moves accepted operations to their outcome by compare-and-set on the status; false when one of
   * them has moved meanwhile (the caller must abort the transaction).
   */
  finish(session: ClientSession, finishes: readonly Finish[], stamp: FinishStamp): Promise<boolean>;
  /** Parks one operation outside a transaction; false when it has moved meanwhile. */
  park(operation: OperationDoc, failure: Failure): Promise<boolean>;
  /** The oldest operation that is still to be settled under each of some ordering keys. */
  oldestOpen(
    session: ClientSession,
    keys: readonly Line[],
  ): Promise<ReadonlyMap<string, Pick<OperationDoc, '_id' | 'stamp'>>>;
}

export function createSettleStore(db: Db): SettleStore {
  const operations = collection<OperationDoc>(db, 'operations');
  return Object.freeze({
    finish: async (session: ClientSession, finishes: readonly Finish[], stamp: FinishStamp) => {
      for (const { operation, status } of finishes) assertMove(operation.status, status);
      const settledBy = { worker: stamp.worker, batch: stamp.batch };
      const plain = finishes.filter(isPlainSuccess);
      const others = finishes.filter((finish) => !isPlainSuccess(finish));
      let moved = 0;
      if (plain.length > 0) {
        // One statement for all that succeeded with nothing of their own to store.
        const result = await operations.updateMany(
          { _id: { $in: plain.map(({ operation }) => operation._id) }, status: 'accepted' },
          {
            $set: { status: 'succeeded', settledBy, completedAt: stamp.at, updatedAt: stamp.at },
            $unset: { nextCheckAt: 1 },
            $inc: { epoch: 1 },
          },
          { session },
        );
        moved += result.matchedCount;
      }
      if (others.length > 0) {
        const writes = others.map((finish) => finishWrite(finish, { settledBy, at: stamp.at }));
        const result = await operations.bulkWrite(writes, { session, ordered: false });
        moved += result.matchedCount;
      }
      return moved === finishes.length;
    },
    park: async (operation, failure) => {
      const result = await operations.updateOne({ _id: operation._id, status: 'accepted' }, [
        {
          $set: { status: 'needs_attention', error: { $literal: failure }, updatedAt: '$$NOW' },
        },
        { $unset: 'nextCheckAt' },
        { $set: { epoch: { $add: ['$epoch', 1] } } },
      ]);
      return result.matchedCount === 1;
    },
    oldestOpen: async (session, keys) => {
      const oldest = new Map<string, Pick<OperationDoc, '_id' | 'stamp'>>();
      for (const [lane, lines] of byLane(keys)) {
        const found = await operations
          .aggregate<OldestOpen>(headsOf(lane, lines), {
            session,
            maxTimeMS: LIMITS.mongoMaxTimeMs,
          })
          .toArray();
        for (const { _id, id, stamp } of found) oldest.set(_id, { _id: id, stamp });
      }
      return oldest;
    },
  } satisfies SettleStore);
}

interface OldestOpen {
  readonly _id: string;
  readonly id: OperationDoc['_id'];
  readonly stamp: Stamp;
}

function byLane(lines: readonly Line[]): ReadonlyMap<number, readonly string[]> {
  const lanes = new Map<number, string[]>();
  for (const { lane, orderingKey } of lines) {
    const keys = lanes.get(lane);
    if (keys === undefined) lanes.set(lane, [orderingKey]);
    else keys.push(orderingKey);
  }
  return lanes;
}

/**
 * The heads of some lines of one lane. Lane, line and order are those of an index, of which the
 * server then looks at one place for each line, however long the lines and the backlog are: of one
 * lane, since for several it would read every line to its end.
 */
function headsOf(lane: number, lines: readonly string[]) {
  return [
    { $match: { lane, orderingKey: { $in: [...new Set(lines)] }, status: 'accepted' } },
    { $sort: { orderingKey: 1, stamp: 1, _id: 1 } },
    { $group: { _id: '$orderingKey', id: { $first: '$_id' }, stamp: { $first: '$stamp' } } },
  ];
}

function isPlainSuccess({ status, result }: Finish): boolean {
  return status === 'succeeded' && result === undefined;
}

function finishWrite(
  { operation, status, result, error }: Finish,
  stamp: { readonly settledBy: OperationDoc['settledBy']; readonly at: Date },
): AnyBulkWriteOperation<OperationDoc> {
  const { settledBy, at } = stamp;
  return {
    updateOne: {
      filter: { _id: operation._id, status: 'accepted' },
      update: {
        $set: {
          status,
          ...(settledBy !== undefined && { settledBy }),
          ...(result !== undefined && { result }),
          ...(error !== undefined && { error }),
          ...(status !== 'needs_attention' && { completedAt: at }),
          updatedAt: at,
        },
        $unset: { nextCheckAt: 1 },
        $inc: { epoch: 1 },
      },
    },
  };
}

export interface OutboxStore {
  /** Records events in the transaction that makes them true. */
  insert(session: ClientSession, rows: readonly OutboxRow[]): Promise<void>;
  /** Rows whose publication or consumption is overdue, oldest first; each put off by `ms`. */
  takeStale(limit: number, ms: number): Promise<readonly Pick<OutboxRow, '_id' | 'tenantId'>[]>;
  find(id: string): Promise<OutboxRow | undefined>;
  /** The consumer has dealt with it. */
  remove(id: string): Promise<void>;
}

export function createOutboxStore(db: Db): OutboxStore {
  const outbox = collection<OutboxRow>(db, 'outbox');
  return Object.freeze({
    insert: async (session: ClientSession, rows: readonly OutboxRow[]) => {
      if (rows.length > 0) await outbox.insertMany([...rows], { session });
    },
    takeStale: async (limit, ms) => {
      const rows = await outbox
        .find(
          { $expr: { $lt: ['$nextCheckAt', '$$NOW'] } },
          { projection: { tenantId: 1 }, maxTimeMS: LIMITS.mongoMaxTimeMs },
        )
        .sort({ nextCheckAt: 1 })
        .limit(limit)
        .toArray();
      if (rows.length > 0) {
        await outbox.updateMany({ _id: { $in: rows.map((row) => row._id) } }, [
          { $set: { nextCheckAt: { $add: ['$$NOW', ms] } } },
        ]);
      }
      return rows;
    },
    find: async (id) => (await outbox.findOne({ _id: id })) ?? undefined,
    remove: async (id) => {
      await outbox.deleteOne({ _id: id });
    },
  } satisfies OutboxStore);
}

/** Splits a batch's events into rows of bounded size, one tenant each. */
export function outboxRows(
  eventsByTenant: ReadonlyMap<string, readonly OutboxEvent[]>,
  options: { readonly batch: string; readonly at: Date },
): OutboxRow[] {
  const rows: OutboxRow[] = [];
  for (const [tenantId, events] of eventsByTenant) {
    for (let start = 0; start < events.length; start += LIMITS.outboxEventsMax) {
      rows.push({
        _id: `obx_${options.batch}_${rows.length}`,
        tenantId,
        events: events.slice(start, start + LIMITS.outboxEventsMax),
        nextCheckAt: new Date(options.at.getTime() + LIMITS.outboxStaleMs),
        createdAt: options.at,
      });
    }
  }
  return rows;
}
