import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { SuppressionDoc } from './suppression.ts';

export interface SuppressionStore {
  /** Which of these ids are on the list. */
  find(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Once; an entry that is there stays as it is. Returns the one that stands. */
  add(entry: SuppressionDoc): Promise<SuppressionDoc>;
  remove(tenantId: string, id: string): Promise<boolean>;
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
    list: async (tenantId, { after, limit }) =>
      suppressions
        .find({ tenantId, ...(after !== undefined && { _id: { $lt: after } }) }, options)
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),
  } satisfies SuppressionStore);
}
