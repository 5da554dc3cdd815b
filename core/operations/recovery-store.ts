import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { middleOf } from '../kernel/middle.ts';
import { HEAD, type OperationDoc, type OperationHead, SAGA_QUEUE } from './operation.ts';
import { OPEN } from './status.ts';

/** What the sweeper asks of the operations. All times are database time. */
export interface RecoveryStore {
  /**
   * Operations that have a job, or should, and that somebody should have moved by `now`: accepted,
   * or let back in to compensate. The most overdue first.
   */
  findOverdue(by: Date, among: Among, limit: number): Promise<readonly OperationHead[]>;
  /** Stepwise ones that became overdue between two moments, in that order, after a place in it. */
  findNews(between: Between, limit: number): Promise<readonly OperationHead[]>;
  /** When the middle one of some operations was dispatched. */
  dispatchOf(ids: readonly string[]): Promise<Date | undefined>;
  /** Lanes in which something is to be settled, of whatever setting they are. */
  openLanes(): Promise<readonly number[]>;
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

export interface Between {
  readonly from: Date;
  readonly by: Date;
  readonly after: OperationHead | undefined;
}

/** Of one lane, of those that stand in none (stepwise ones), or of those let back in to compensate. */
export type Among = 'stepwise' | 'compensating' | { readonly lane: number };

/** Of a lane the oldest are looked at, of the others the most overdue. */
function filterOf(among: Among): Filter<OperationDoc> {
  if (among === 'compensating') return LET_BACK_IN;
  if (among === 'stepwise') return { status: 'accepted', 'dispatch.queue': SAGA_QUEUE };
  return { status: 'accepted', lane: among.lane };
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
    findOverdue: async (by, among, limit) =>
      operations
        .find<OperationHead>(
          { ...filterOf(among), nextCheckAt: { $lt: by } },
          { ...options, projection: HEAD },
        )
        .sort(typeof among === 'object' ? { stamp: 1, _id: 1 } : { nextCheckAt: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    findNews: async ({ from, by, after }, limit) => {
      // The bound is for the index, which then goes on where it ended; several share a moment.
      const at = after?.nextCheckAt;
      const behind =
        after === undefined || at === undefined
          ? {}
          : { $or: [{ nextCheckAt: { $gt: at } }, { _id: { $gt: after._id } }] };
      return operations
        .find<OperationHead>(
          { ...filterOf('stepwise'), nextCheckAt: { $gte: at ?? from, $lt: by }, ...behind },
          { ...options, projection: HEAD },
        )
        .sort({ nextCheckAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
    },
    dispatchOf: async (ids) => {
      const found = await operations
        .find<Pick<OperationHead, 'dispatch'>>(
          { _id: { $in: ids as OperationDoc['_id'][] } },
          { ...options, projection: { dispatch: 1 } },
        )
        .toArray();
      return middleOf(found.map(({ dispatch }) => dispatch.at));
    },
    openLanes: async () => {
      const lanes: number[] = [];
      // From lane to lane in their index: as many looks as there are lanes with work.
      while (lanes.length < LIMITS.openLanesMax) {
        const next = await operations.findOne<Pick<OperationDoc, 'lane'>>(
          { status: 'accepted', lane: { $gt: lanes.at(-1) ?? -1 } },
          { ...options, projection: { lane: 1 }, sort: { lane: 1, stamp: 1, _id: 1 } },
        );
        if (next?.lane === undefined) break;
        lanes.push(next.lane);
      }
      return lanes;
    },
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
