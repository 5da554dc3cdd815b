import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import type { HoldId, OperationId, TransferId } from '../../kernel/ids.ts';
import type { HoldDoc, TransferDoc, UserDoc } from '../../ledger/documents.ts';
import type { HoldFacts, TransferFacts, UserFacts } from './facts.ts';
import type { RequestInput, SendRequest } from './request.ts';

/** What routing and delivery read of the ledger, always many at once, from the primary. */
export interface FactsStore {
  transfers(ids: readonly string[]): Promise<readonly TransferFacts[]>;
  holds(ids: readonly string[]): Promise<readonly HoldFacts[]>;
  /** By their document ids, `<tenantId>/<userId>`. */
  users(ids: readonly string[]): Promise<ReadonlyMap<string, UserFacts>>;
  requests(operationIds: readonly OperationId[]): Promise<readonly SendRequest[]>;
}

/** An operation of type `notification.send`, as far as it matters here. */
interface RequestDoc {
  readonly _id: OperationId;
  readonly input: RequestInput;
  readonly deadline?: Date;
}

export function createFactsStore(db: Db): FactsStore {
  const transfers = collection<TransferDoc>(db, 'transfers');
  const holds = collection<HoldDoc>(db, 'holds');
  const users = collection<UserDoc>(db, 'users');
  const operations = collection<RequestDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    transfers: async (ids) => {
      if (ids.length === 0) return [];
      const fields = {
        fromUserId: 1,
        toUserId: 1,
        currency: 1,
        amount: 1,
        fee: 1,
        description: 1,
      };
      return transfers
        .find({ _id: { $in: ids as TransferId[] } }, { ...options, projection: fields })
        .toArray();
    },
    holds: async (ids) => {
      if (ids.length === 0) return [];
      const fields = { userId: 1, currency: 1, amount: 1, status: 1 };
      return holds
        .find({ _id: { $in: ids as HoldId[] } }, { ...options, projection: fields })
        .toArray();
    },
    users: async (ids) => {
      if (ids.length === 0) return new Map();
      const found = await users
        .find(
          { _id: { $in: [...new Set(ids)] } },
          { ...options, projection: { status: 0, createdAt: 0, updatedAt: 0 } },
        )
        .toArray();
      return new Map(found.map((user) => [user._id, user]));
    },
    requests: async (operationIds) => {
      if (operationIds.length === 0) return [];
      const found = await operations
        .find(
          { _id: { $in: [...operationIds] } },
          { ...options, projection: { input: 1, deadline: 1 } },
        )
        .toArray();
      return found.map(({ _id, input, deadline }) => ({
        operationId: _id,
        input,
        ...(deadline !== undefined && { deadline }),
      }));
    },
  } satisfies FactsStore);
}
