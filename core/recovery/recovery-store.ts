import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { HEAD, type OperationDoc, type OperationHead } from '../saga/operation.ts';
import { OPEN } from '../saga/status.ts';

/** What the sweeper asks of the operations. All times are database time. */
export interface RecoveryStore {
  /**
   * Operations that have a job, or should, and that somebody should have moved by `now`: accepted,
   * or let back in to compensate. The most overdue first.
   */
  findOverdue(now: Date, look: Look, limit: number): Promise<readonly OperationHead[]>;
  /** Slow, not lost: look again after `ms`. */
  putOff(operations: readonly OperationHead[], now: Date, ms: number): Promise<void>;
  /**
   * Prepares another dispatch of each, `seq + 1`, by compare-and-set; returns those that this
   * call moved, so that two sweepers never both enqueue the same one.
   */
  redispatch(operations: readonly OperationHead[], now: Date): Promise<readonly OperationHead[]>;
  /** Creation time of the oldest operation that is not terminal. */
  oldestOpen(): Promise<Date | undefined>;
}

/** Of one lane, of those that stand in none (stepwise ones), or of those let back in to compensate. */
export type Among = 'stepwise' | 'compensating' | { readonly lane: number };

interface Look {
  readonly among: Among;
  /** Goes on behind this one. */
  readonly after: OperationHead | undefined;
}

/** Of a lane, or of none, the oldest are looked at; they are let back in seldom. */
function filterOf(among: Among): Filter<OperationDoc> {
  if (among === 'compensating') return LET_BACK_IN;
  return { status: 'accepted', lane: among === 'stepwise' ? { $exists: false } : among.lane };
}

const LET_BACK_IN: Filter<OperationDoc> = {
  status: 'compensating',
  leaseUntil: { $exists: false },
  runAt: { $exists: false },
};

/** Nobody has it, and it waits for no time of its own. */
const LET_IN: Filter<OperationDoc> = {
  $or: [{ status: 'accepted' }, LET_BACK_IN],
};

export function createRecoveryStore(db: Db): RecoveryStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    findOverdue: async (now, { among, after }, limit) =>
      operations
        .find<OperationHead>(
          {
            ...filterOf(among),
            nextCheckAt: { $lt: now },
            ...(after !== undefined && { stamp: { $gt: after.stamp } }),
          },
          { ...options, projection: HEAD },
        )
        .sort(among === 'compensating' ? { nextCheckAt: 1, _id: 1 } : { stamp: 1, _id: 1 })
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
        .find(
          { status: { $in: [...OPEN] }, nextCheckAt: { $gt: new Date(0) } },
          { ...options, projection: { createdAt: 1 } },
        )
        .sort({ nextCheckAt: 1, _id: 1 })
        .limit(1)
        .toArray();
      return oldest?.createdAt;
    },
  } satisfies RecoveryStore);
}
