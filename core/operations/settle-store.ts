import type { AnyBulkWriteOperation, ClientSession, Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';
import { newToken } from '../kernel/ids.ts';
import { namedUsers } from '../events/event-users.ts';
import { byLane, inLanesOf } from './lane-heads.ts';
import { parkingPushed } from './parking.ts';
import { type LineHead, createLayoutStore } from './layout-store.ts';
import { type OperationDoc, isOlder } from './operation.ts';
import { outboxRows, turnOf } from '../events/outbox-rows.ts';
import { createOutboxStore } from '../events/outbox-store.ts';
import type { OutboxEvent, OutboxRow } from '../events/outbox.ts';
import { type OperationStatus, assertMove } from './status.ts';

/** What an operation is to become. */
export interface Finish {
  readonly operation: OperationDoc;
  readonly status: OperationStatus;
  readonly result?: Json;
  readonly error?: Failure;
  /** Instead of the time of the batch. */
  readonly at?: Date;
}

interface FinishStamp {
  readonly worker: string;
  readonly batch: string;
  readonly at: Date;
}

/** Why, by whom and when an operation is put before a human. */
export interface Park {
  readonly failure: Failure;
  readonly worker: string;
  readonly at: Date;
}

export interface SettleStore {
  /**
   * Moves accepted operations to their outcome by compare-and-set on the status; false when one of
   * them has moved meanwhile (the caller must abort the transaction).
   */
  finish(session: ClientSession, finishes: readonly Finish[], stamp: FinishStamp): Promise<boolean>;
  /**
   * Parks one operation in a transaction of its own, with its event. Undefined: it has moved
   * meanwhile.
   */
  park(operation: OperationDoc, park: Park): Promise<readonly OutboxRow[] | undefined>;
  /** Adds to the interruptions of operations that are still to be settled. */
  count(ids: readonly OperationDoc['_id'][], by: 1 | -1): Promise<void>;
  /** The oldest operation that is still to be settled under each of some ordering keys. */
  oldestOpen(
    session: ClientSession,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, LineHead>>;
  /**
   * Open operations that may create something for the users of some lines and are not seen in those
   * lines' lanes: they stand in another line, or wait their turn.
   */
  creatingElsewhere(
    session: ClientSession,
    userLines: readonly string[],
  ): Promise<readonly Elsewhere[]>;
}

export type Elsewhere = Pick<OperationDoc, '_id' | 'stamp' | 'line' | 'creates'>;

export function createSettleStore(db: Db, outbox = createOutboxStore(db)): SettleStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const layouts = createLayoutStore(db);
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
            $unset: LEFT,
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
    park: async (operation: OperationDoc, { failure, worker, at }: Park) => {
      const event = parkingEvent(operation, failure);
      const rows = outboxRows(new Map([[operation.tenantId, [event]]]), { batch: newToken(), at });
      return db.client.withSession((session) =>
        session.withTransaction(async () => {
          const parked = await operations.updateOne(
            { _id: operation._id, status: 'accepted', epoch: operation.epoch },
            {
              $set: { status: 'needs_attention', error: failure, updatedAt: at },
              $unset: LEFT,
              $inc: { epoch: 1 },
              $push: parkingPushed({ at, by: worker, code: failure.code, detail: failure.detail }),
            },
            { session },
          );
          if (parked.matchedCount === 0) return undefined;
          await outbox.insert(session, rows);
          return rows;
        }, TRANSACTION),
      );
    },
    count: async (ids: readonly OperationDoc['_id'][], by: 1 | -1) => {
      if (ids.length === 0) return;
      await operations.updateMany(
        { _id: { $in: [...ids] }, status: 'accepted' },
        { $inc: { interruptions: by } },
      );
    },
    oldestOpen: async (session, keys) => {
      const oldest = new Map<string, LineHead>();
      for (const [lane, lines] of byLane(inLanesOf(keys, await layouts.open([], session)))) {
        for (const [key, head] of await layouts.heads(lane, lines, session)) {
          const other = oldest.get(key);
          if (other === undefined || isOlder(head, other)) oldest.set(key, head);
        }
      }
      return oldest;
    },
    creatingElsewhere: async (session, userLines) => {
      const lines = [...new Set(userLines)];
      return operations
        .find<Elsewhere>(
          {
            $or: [
              { creates: { $in: lines }, status: 'accepted' },
              // Scheduled ones stand in no line.
              { creates: { $in: lines }, status: 'waiting', line: { $exists: true } },
              { line: { $in: lines }, lane: { $exists: true } },
            ],
          },
          {
            session,
            maxTimeMS: LIMITS.mongoMaxTimeMs,
            projection: { stamp: 1, line: 1, creates: 1 },
          },
        )
        .limit(LIMITS.linePageMax)
        .toArray();
    },
  } satisfies SettleStore);
}

/** What only an open operation has. */
const LEFT = { nextCheckAt: 1, line: 1, creates: 1 } as const;

function isPlainSuccess({ status, result, at }: Finish): boolean {
  return status === 'succeeded' && result === undefined && at === undefined;
}

/** Told each time that an operation is parked, under an id of that parking's own. */
export function parkingEvent(
  operation: Pick<OperationDoc, '_id' | 'epoch' | 'type' | 'input'>,
  { code }: Failure,
): OutboxEvent {
  const { _id, epoch, type, input } = operation;
  return {
    id: `${_id}.p${epoch}`,
    name: 'operation.needs_attention',
    operationId: _id,
    data: { type, ...namedUsers(input), code },
    turn: turnOf(operation),
  };
}

function finishWrite(
  finish: Finish,
  stamp: { readonly settledBy: OperationDoc['settledBy']; readonly at: Date },
): AnyBulkWriteOperation<OperationDoc> {
  const { operation, status, result, error } = finish;
  const { settledBy } = stamp;
  const at = finish.at ?? stamp.at;
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
        $unset: LEFT,
        $inc: { epoch: 1 },
        ...(status === 'needs_attention' &&
          error !== undefined && {
            $push: parkingPushed({ at, ...workerOf(settledBy), ...reasonOf(error) }),
          }),
      },
    },
  };
}

function workerOf(settledBy: OperationDoc['settledBy']) {
  return settledBy === undefined ? {} : { by: settledBy.worker };
}

function reasonOf({ code, detail }: Failure): Pick<Failure, 'code' | 'detail'> {
  return { code, detail };
}
