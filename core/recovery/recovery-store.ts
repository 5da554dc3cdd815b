import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { OperationDoc } from '../saga/operation.ts';

/** What the sweeper asks of the operations. All times are database time. */
export interface RecoveryStore {
  /**
   * Operations that have a job, or should, and that somebody should have moved by `now`: accepted,
   * or let back in to compensate. The most overdue first.
   */
  findOverdue(now: Date, limit: number): Promise<readonly OperationDoc[]>;
  /** Slow, not lost: look again after `ms`. */
  putOff(operations: readonly OperationDoc[], now: Date, ms: number): Promise<void>;
  /**
   * Prepares another dispatch of each, `seq + 1`, by compare-and-set; returns those that this
   * call moved, so that two sweepers never both enqueue the same one.
   */
  redispatch(operations: readonly OperationDoc[], now: Date): Promise<readonly OperationDoc[]>;
  /** Creation time of the oldest operation that is not terminal. */
  oldestOpen(): Promise<Date | undefined>;
}

/** Nobody has it, and it waits for no time of its own. */
const LET_IN: Filter<OperationDoc> = {
  $or: [
    { status: 'accepted' },
    { status: 'compensating', leaseUntil: { $exists: false }, runAt: { $exists: false } },
  ],
};

export function createRecoveryStore(db: Db): RecoveryStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    findOverdue: async (now, limit) =>
      operations
        .find({ nextCheckAt: { $lt: now }, ...LET_IN }, options)
        .sort({ nextCheckAt: 1 })
        .limit(limit)
        .toArray(),
    putOff: async (slow, now, ms) => {
      if (slow.length === 0) return;
      await operations.updateMany(
        { _id: { $in: slow.map(({ _id }) => _id) }, ...LET_IN },
        { $set: { nextCheckAt: new Date(now.getTime() + ms) } },
      );
    },
    redispatch: async (stale, now) => {
      const nextCheckAt = new Date(now.getTime() + LIMITS.recheckMs);
      const moved = await Promise.all(
        stale.map(async (operation) => {
          const dispatch = {
            queue: operation.dispatch.queue,
            seq: operation.dispatch.seq + 1,
            at: now,
          };
          const result = await operations.updateOne(
            { _id: operation._id, ...LET_IN, 'dispatch.seq': operation.dispatch.seq },
            { $set: { dispatch, nextCheckAt }, $inc: { recoveries: 1 } },
          );
          return result.modifiedCount === 1 ? [{ ...operation, dispatch }] : [];
        }),
      );
      return moved.flat();
    },
    oldestOpen: async () => {
      const [oldest] = await operations
        .find({ nextCheckAt: { $gt: new Date(0) } }, { ...options, projection: { createdAt: 1 } })
        .sort({ nextCheckAt: 1 })
        .limit(1)
        .toArray();
      return oldest?.createdAt;
    },
  } satisfies RecoveryStore);
}
