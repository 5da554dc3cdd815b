import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { behindTimeKey, timeSort } from '../../kernel/time-order.ts';
import type { Channel } from '../ports.ts';
import type { SuppressionDoc } from './suppression.ts';

/** Of what came by a mistake: all of one reason, of one channel or of a time. */
export interface SuppressionFilter {
  readonly reason: string;
  readonly channel?: Channel;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

export interface SuppressionStore {
  /** Which of these ids are on the list. */
  find(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Once; an entry that is there stays as it is. Returns the one that stands. */
  add(entry: SuppressionDoc): Promise<SuppressionDoc>;
  remove(tenantId: string, id: string): Promise<boolean>;
  /** All that match, up to `max` of them: returns how many they were. */
  removeMany(tenantId: string, filter: SuppressionFilter, max: number): Promise<number>;
  /** Newest first. */
  list(
    tenantId: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly SuppressionDoc[]>;
}

export function createSuppressionStore(db: Db): SuppressionStore {
  const suppressions = collection<SuppressionDoc>(db, 'suppressions');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    find: async (ids) => {
      const found = await suppressions
        .find({ _id: { $in: [...ids] } }, { ...options, projection: { _id: 1 } })
        .toArray();
      return new Set(found.map(({ _id }) => _id));
    },
    add: async (entry) => {
      const { _id, ...fields } = entry;
      const stands = await suppressions.findOneAndUpdate(
        { _id },
        { $setOnInsert: fields },
        { upsert: true, returnDocument: 'after' },
      );
      return stands ?? entry;
    },
    remove: async (tenantId, id) =>
      (await suppressions.deleteOne({ _id: id, tenantId })).deletedCount === 1,
    removeMany: async (tenantId, { createdAfter, createdBefore, ...equal }, max) => {
      const times = {
        ...(createdAfter !== undefined && { $gt: createdAfter }),
        ...(createdBefore !== undefined && { $lt: createdBefore }),
      };
      const timed = Object.keys(times).length === 0 ? {} : { createdAt: times };
      const found = await suppressions
        .find({ tenantId, ...equal, ...timed }, { ...options, projection: { _id: 1 } })
        .limit(max)
        .toArray();
      const ids = found.map(({ _id }) => _id);
      return (await suppressions.deleteMany({ _id: { $in: ids }, tenantId })).deletedCount;
    },
    list: async (tenantId, { after, limit }) =>
      suppressions
        .find(behindOf(tenantId, after), options)
        .sort(timeSort('desc'))
        .limit(limit)
        .toArray(),
  } satisfies SuppressionStore);
}

function behindOf(tenantId: string, after: string | undefined): Filter<SuppressionDoc> {
  const parts = behindTimeKey(after, { order: 'desc' }).map((part) => ({ tenantId, ...part }));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { $or: parts };
}
