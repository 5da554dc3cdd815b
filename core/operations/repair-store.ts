import type { Db, Filter, UpdateFilter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import { newToken } from '../kernel/ids.ts';
import { heldAnew } from './line.ts';
import { parkingPushed } from './parking.ts';
import { HEAD, type OperationDoc, type OperationHead } from './operation.ts';
import type { OutboxRow } from '../events/outbox.ts';
import { outboxRows } from '../events/outbox-rows.ts';
import { parkingEvent } from './settle-store.ts';
import type { OutboxStore } from '../events/outbox-store.ts';
import { assertMove } from './status.ts';
import type { StepRecord } from './step-record.ts';

/** Repairs by compare-and-set: of two sweepers that try, one succeeds. */
export interface RepairStore {
  /** Overdue operations that somebody may have to move, the most overdue first. */
  findOverdue(options: OverdueQuery): Promise<readonly OperationHead[]>;
  /** R2, R4: `epoch + 1` fences whoever held it. Undefined: it has moved meanwhile. */
  takeOver(operation: OperationHead, now: Date): Promise<OperationHead | undefined>;
  /** R3, R6: lets in what waits. */
  wake(operation: OperationHead, now: Date): Promise<OperationHead | undefined>;
  /** Nothing to do yet: look again after `ms`. */
  leave(operation: OperationHead, now: Date, ms: number): Promise<void>;
  /** R5, with its event. Undefined: it has moved meanwhile. */
  park(operation: OperationHead, now: Date): Promise<readonly OutboxRow[] | undefined>;
}

export interface OverdueQuery {
  readonly now: Date;
  readonly statuses: readonly OperationDoc['status'][];
  readonly limit: number;
}

export function createRepairStore(db: Db, outbox: OutboxStore): RepairStore {
  const operations = collection<OperationDoc>(db, 'operations');

  const move = async (
    operation: OperationHead,
    update: UpdateFilter<OperationDoc>,
  ): Promise<OperationHead | undefined> => {
    const moved = await operations.findOneAndUpdate(placeOf(operation), update, {
      returnDocument: 'after',
      projection: HEAD,
    });
    return moved ?? undefined;
  };

  return Object.freeze({
    findOverdue: async ({ now, statuses, limit }: OverdueQuery) =>
      operations
        .find<OperationHead>(
          { nextCheckAt: { $lt: now }, status: { $in: [...statuses] } },
          { maxTimeMS: LIMITS.mongoMaxTimeMs, projection: HEAD },
        )
        .sort({ nextCheckAt: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    takeOver: async (operation: OperationHead, now: Date) => {
      const isBackwards = operation.status === 'compensating';
      if (!isBackwards) assertMove(operation.status, 'accepted');
      return move(operation, {
        $set: {
          ...enqueuedAgain(operation, now),
          ...(!isBackwards && { status: 'accepted' }),
          ...heldAnew(operation, now),
        },
        $unset: { owner: '', leaseUntil: '' },
        $inc: { epoch: 1, interruptions: 1, recoveries: 1 },
      });
    },
    wake: async (operation: OperationHead, now: Date) => {
      const isBackwards = operation.status === 'compensating';
      if (!isBackwards) assertMove(operation.status, 'accepted');
      return move(operation, {
        $set: {
          ...enqueuedAgain(operation, now),
          ...(!isBackwards && { status: 'accepted' }),
          ...(entersLine(operation) && { line: operation.orderingKey }),
          ...heldAnew(operation, now),
        },
        $unset: { runAt: '' },
      });
    },
    leave: async (operation: OperationHead, now: Date, ms: number) => {
      const nextCheckAt = new Date(now.getTime() + ms);
      await move(operation, { $set: { nextCheckAt } });
    },
    park: async (operation: OperationHead, now: Date) => {
      assertMove(operation.status, 'needs_attention');
      const { _id, tenantId, interruptions = 0 } = operation;
      const found = await operations.findOne({ _id }, { projection: { input: 1, steps: 1 } });
      const detail = `Its worker died or stalled ${interruptions} times`;
      const failure = { code: 'poison_operation', detail } as const;
      const event = parkingEvent({ ...operation, input: found?.input ?? null }, failure);
      const step = found?.steps?.findLast(({ status }) => IN_HAND.has(status))?.name;
      const parking = { at: now, ...failure, ...(step !== undefined && { step }) };
      const rows = outboxRows(new Map([[tenantId, [event]]]), { batch: newToken(), at: now });
      return db.client.withSession((session) =>
        session.withTransaction(async () => {
          const parked = await operations.updateOne(
            placeOf(operation),
            {
              $set: {
                status: 'needs_attention',
                error: failure,
                updatedAt: now,
              },
              $push: parkingPushed(parking),
              $unset: { owner: '', leaseUntil: '', nextCheckAt: '', line: '', lineUntil: '' },
              $inc: { epoch: 1 },
            },
            { session },
          );
          if (parked.matchedCount === 0) return undefined;
          await outbox.insert(session, rows);
          return rows;
        }, TRANSACTION),
      );
    },
  } satisfies RepairStore);
}

/** What its last worker was at, as the journal has it. */
const IN_HAND: ReadonlySet<StepRecord['status']> = new Set([
  'started',
  'unsure',
  'waiting',
  'undoing',
]);

/** A scheduled operation takes its place in line when its time has come. */
function entersLine({ lane, epoch, status }: OperationHead): boolean {
  return status === 'waiting' && lane === undefined && epoch === 0;
}

/** Exactly as it was read: a renewal, a claim or another sweeper makes it miss. */
function placeOf(operation: OperationHead): Filter<OperationDoc> {
  const { _id, epoch, status, dispatch, leaseUntil } = operation;
  return {
    _id,
    epoch,
    status,
    'dispatch.seq': dispatch.seq,
    leaseUntil: leaseUntil ?? { $exists: false },
  };
}

/** Another job id: one that is known in any state would be ignored. */
function enqueuedAgain({ dispatch }: OperationHead, now: Date) {
  return {
    dispatch: { queue: dispatch.queue, seq: dispatch.seq + 1, at: now },
    nextCheckAt: new Date(now.getTime() + LIMITS.recheckMs),
    updatedAt: now,
  };
}
