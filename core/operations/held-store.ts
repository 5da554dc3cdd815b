import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { OperationDoc } from './operation.ts';

export type HeldOperation = Pick<OperationDoc, '_id' | 'orderingKey' | 'pausedBy'>;

/** Operations that a pause has put aside. */
export interface HeldStore {
  /** Those of one pause, or of all but some, in the order in which they were accepted. */
  find(query: HeldQuery): Promise<readonly HeldOperation[]>;
  /** They wait for their turn alone from now on, and recovery looks at them as at others. */
  release(held: readonly HeldOperation[]): Promise<void>;
  count(pause: string, max: number): Promise<number>;
}

export interface HeldQuery {
  readonly pause?: string;
  readonly except?: readonly string[];
  readonly limit: number;
}

export function createHeldStore(db: Db): HeldStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    find: async ({ pause, except = [], limit }) =>
      operations
        .find<HeldOperation>(
          {
            pausedBy: pause ?? { $exists: true, $nin: [...except] },
            status: 'waiting',
          },
          { ...options, projection: { orderingKey: 1, pausedBy: 1 } },
        )
        .sort({ pausedBy: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    release: async (held) => {
      if (held.length === 0) return;
      const ids = held.map(({ _id }) => _id);
      await operations.updateMany(
        { _id: { $in: ids }, status: 'waiting', pausedBy: { $exists: true } },
        [
          { $set: { nextCheckAt: { $add: ['$$NOW', LIMITS.lineCheckMs] } } },
          { $unset: ['pausedBy'] },
        ],
      );
    },
    count: async (pause, max) =>
      operations.countDocuments({ pausedBy: pause, status: 'waiting' }, { ...options, limit: max }),
  } satisfies HeldStore);
}
