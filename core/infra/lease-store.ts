import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from './collections.ts';

interface LeaseDoc {
  readonly _id: string;
  readonly owner: string;
  readonly until: Date;
  /** The present owner took it over when the lease of this one had run out. */
  readonly lapsedFrom?: string;
}

/** What became of an attempt to take a lease. `lapsed`: its last owner died, or stalled. */
export type Taken = 'free' | 'lapsed' | 'elsewhere';

/** Named leases in database time. They spread work; nothing rests on them for correctness. */
export interface LeaseStore {
  /** Takes or renews; false while another owner's lease runs. */
  hold(name: string, owner: string, ms: number): Promise<boolean>;
  /** The same, saying whether whoever had it before has given it back. */
  take(name: string, owner: string, ms: number): Promise<Taken>;
  release(name: string, owner: string): Promise<void>;
}

export function createLeaseStore(db: Db): LeaseStore {
  const leases = collection<LeaseDoc>(db, 'leases');
  const take = async (name: string, owner: string, ms: number): Promise<Taken> => {
    // One atomic step decides in database time; a lease that is not ours to take stays as it is.
    const isRenewal = { $eq: ['$owner', owner] };
    const isOurs = {
      $or: [isRenewal, { $lte: [{ $ifNull: ['$until', '$$NOW'] }, '$$NOW'] }],
    };
    const lease = await leases.findOneAndUpdate(
      { _id: name },
      [
        {
          $set: {
            owner: { $cond: [isOurs, owner, '$owner'] },
            until: { $cond: [isOurs, { $add: ['$$NOW', ms] }, '$until'] },
            lapsedFrom: {
              $cond: [
                { $and: [isOurs, { $not: isRenewal }] },
                { $ifNull: ['$owner', '$$REMOVE'] },
                { $ifNull: ['$lapsedFrom', '$$REMOVE'] },
              ],
            },
          },
        },
      ],
      { upsert: true, returnDocument: 'after' },
    );
    if (lease?.owner !== owner) return 'elsewhere';
    return lease.lapsedFrom === undefined ? 'free' : 'lapsed';
  };
  return Object.freeze({
    take,
    hold: async (name: string, owner: string, ms: number) =>
      (await take(name, owner, ms)) !== 'elsewhere',
    release: async (name: string, owner: string) => {
      await leases.deleteOne({ _id: name, owner });
    },
  });
}

export interface LeaseSight {
  readonly name: string;
  readonly owner: string;
  readonly until: Date;
}

/** Leases as they stand, for people: whether one has run out is for who reads it to compare. */
export interface LeaseReads {
  find(names: readonly string[]): Promise<readonly LeaseSight[]>;
}

export function createLeaseReads(db: Db): LeaseReads {
  const leases = collection<LeaseDoc>(db, 'leases');
  return Object.freeze({
    find: async (names: readonly string[]) => {
      const found = await leases
        .find({ _id: { $in: [...names] } }, { maxTimeMS: LIMITS.listMaxTimeMs })
        .toArray();
      return found.map(({ _id, owner, until }) => ({ name: _id, owner, until }));
    },
  } satisfies LeaseReads);
}

interface WorkerDoc {
  readonly _id: string;
  readonly pools: readonly string[];
  /** How many its settings tell it; absent in those of a version that knew no other number. */
  readonly lanes?: number;
  readonly seenAt: Date;
}

export interface LiveWorker {
  readonly id: string;
  /** How many lanes its settings tell it. */
  readonly lanes?: number;
}

/** Which worker processes are alive, in database time. */
export interface WorkerRoster {
  beat(workerId: string, pools: readonly string[], lanes: number): Promise<void>;
  leave(workerId: string): Promise<void>;
  /** The workers of a pool seen within the last `ms`, sorted by id. */
  alive(pool: string, ms: number): Promise<readonly LiveWorker[]>;
}

export function createWorkerRoster(db: Db): WorkerRoster {
  const workers = collection<WorkerDoc>(db, 'workers');
  return Object.freeze({
    beat: async (workerId: string, pools: readonly string[], lanes: number) => {
      await workers.updateOne(
        { _id: workerId },
        [{ $set: { pools: [...pools], lanes, seenAt: '$$NOW' } }],
        { upsert: true },
      );
    },
    leave: async (workerId: string) => {
      await workers.deleteOne({ _id: workerId });
    },
    alive: async (pool: string, ms: number) => {
      const found = await workers
        .find(
          { pools: pool, $expr: { $gt: ['$seenAt', { $subtract: ['$$NOW', ms] }] } },
          { projection: { lanes: 1 } },
        )
        .limit(1_000)
        .toArray();
      return found
        .map(({ _id, lanes }) => ({ id: _id, ...(lanes !== undefined && { lanes }) }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  });
}
