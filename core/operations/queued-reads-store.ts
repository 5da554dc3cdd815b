import type { Db } from 'mongodb';
import { READ_LIMITS } from '../../config/read-limits.ts';
import { USER_FIELDS } from '../events/event-users.ts';
import { collection } from '../infra/collections.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import type { OperationDoc } from './operation.ts';

export type QueuedOperation = Pick<OperationDoc, 'type' | 'input' | 'runAt'>;

export interface QueuedOperations {
  readonly operations: readonly QueuedOperation[];
  /** There are more than these. */
  readonly isPartial: boolean;
}

/** What is accepted and not begun, of those whose input names a user: batches name none. */
export interface QueuedReads {
  of(userId: string): Promise<QueuedOperations>;
}

const OPTIONS = { maxTimeMS: READ_LIMITS.queuedMaxTimeMs };
/** One key of it says where the backlog begins. */
const BY_STATUS = { status: 1, tenantId: 1, _id: -1 } as const;

/** A user's operations are gone through from the oldest one on that is still waiting, whoever's it is. */
export function createQueuedReads(db: Db, { tenantId }: TenantScope): QueuedReads {
  const operations = collection<OperationDoc>(db, 'operations');
  return Object.freeze({
    of: async (userId: string) => {
      const waiting = { status: 'accepted', tenantId } as const;
      const [oldest] = await operations
        .find(waiting, { ...OPTIONS, projection: { _id: 1 }, hint: BY_STATUS })
        .sort({ _id: 1 })
        .limit(1)
        .toArray();
      if (oldest === undefined) return { operations: [], isPartial: false };
      const since = { ...waiting, _id: { $gte: oldest._id } };
      const found = await operations
        .find(
          { $or: USER_FIELDS.map((field) => ({ ...since, [`input.${field}`]: userId })) },
          { ...OPTIONS, projection: { _id: 0, type: 1, input: 1, runAt: 1 } },
        )
        .limit(READ_LIMITS.queuedMax + 1)
        .toArray();
      const isPartial = found.length > READ_LIMITS.queuedMax;
      return { operations: found.slice(0, READ_LIMITS.queuedMax), isPartial };
    },
  });
}
