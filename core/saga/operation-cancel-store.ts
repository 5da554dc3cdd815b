import type { ClientSession, Db, MongoClient } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import { AppError } from '../kernel/errors.ts';
import { type OperationId, newToken } from '../kernel/ids.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import { namedUsers } from './event-users.ts';
import type { OperationDoc } from './operation.ts';
import type { OutboxRow } from './ports.ts';
import { createOutboxStore, outboxRows } from './settle-store.ts';
import { assertMove } from './status.ts';

export interface Canceled {
  readonly operation: OperationDoc;
  /** To be published now; empty when it had been canceled before. */
  readonly rows: readonly OutboxRow[];
}

export interface CancelStore {
  /**
   * Cancels an operation that nobody has begun, by compare-and-set: it either settles or is
   * canceled, never both (a settlement that has read it conflicts and reads again). The event is
   * recorded in the same transaction. Repeating it is harmless.
   *
   * @throws AppError `not_found`, or `not_cancelable` when it has moved on.
   */
  cancel(tenant: TenantScope, id: string): Promise<Canceled>;
}

export function createCancelStore(client: MongoClient, db: Db): CancelStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const outbox = createOutboxStore(db);
  assertMove('accepted', 'canceled');

  const cancelIn = async (
    session: ClientSession,
    mine: { readonly _id: OperationId; readonly tenantId: string },
  ): Promise<Canceled | undefined> => {
    const operation = await operations.findOneAndUpdate(
      { ...mine, status: 'accepted' },
      [
        {
          $set: {
            status: 'canceled',
            epoch: { $add: ['$epoch', 1] },
            updatedAt: '$$NOW',
            completedAt: '$$NOW',
          },
        },
        { $unset: 'nextCheckAt' },
      ],
      { session, returnDocument: 'after', maxTimeMS: LIMITS.mongoMaxTimeMs },
    );
    if (operation === null) return undefined;
    const rows = outboxRows(new Map([[mine.tenantId, [canceledEvent(operation)]]]), {
      batch: newToken(),
      at: operation.completedAt ?? operation.createdAt,
    });
    await outbox.insert(session, rows);
    return { operation, rows };
  };

  return Object.freeze({
    cancel: async ({ tenantId }: TenantScope, id: string) => {
      const mine = { _id: id as OperationId, tenantId };
      const canceled = await client.withSession((session) =>
        session.withTransaction(() => cancelIn(session, mine), TRANSACTION),
      );
      if (canceled !== undefined) return canceled;
      const current = await operations.findOne(mine, { maxTimeMS: LIMITS.listMaxTimeMs });
      if (current === null) throw new AppError('not_found', 'There is no such operation');
      if (current.status === 'canceled') return { operation: current, rows: [] };
      throw new AppError('not_cancelable', `The operation is ${current.status}`, {
        context: { operationId: id },
      });
    },
  });
}

function canceledEvent({ _id, type, input }: OperationDoc) {
  return {
    id: `${_id}.e0`,
    name: 'operation.canceled',
    operationId: _id,
    data: { type, ...namedUsers(input) },
  };
}
