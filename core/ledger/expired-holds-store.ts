import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { HoldDoc } from './documents.ts';

export type ExpiredHold = Pick<HoldDoc, '_id' | 'tenantId'> & { readonly expiresAt: Date };

export interface ExpiredHoldsStore {
  /** Open holds past their time, the longest first, after a place in that order. */
  find(now: Date, after: ExpiredHold | undefined): Promise<readonly ExpiredHold[]>;
}

export function createExpiredHoldsStore(db: Db): ExpiredHoldsStore {
  const holds = collection<HoldDoc>(db, 'holds');
  return Object.freeze({
    find: async (now: Date, after: ExpiredHold | undefined) => {
      // The bound is for the index, which then goes on where it ended; several expire at one moment.
      const from = after === undefined ? {} : { $gte: after.expiresAt };
      const behind =
        after === undefined
          ? {}
          : { $or: [{ expiresAt: { $gt: after.expiresAt } }, { _id: { $gt: after._id } }] };
      return holds
        .find<ExpiredHold>(
          { status: 'open', expiresAt: { $lte: now, ...from }, ...behind },
          {
            projection: { tenantId: 1, expiresAt: 1 },
            maxTimeMS: LIMITS.mongoMaxTimeMs,
          },
        )
        .sort({ expiresAt: 1, _id: 1 })
        .limit(LIMITS.sweepBatch)
        .toArray();
    },
  } satisfies ExpiredHoldsStore);
}
