import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { faultOf } from '../infra/database-errors.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import type { OutboxRow } from '../saga/ports.ts';
import { createOutboxStore } from '../saga/settle-store.ts';
import type { EndpointDoc, EndpointId } from './webhook-endpoint.ts';

type Changes = Partial<
  Pick<EndpointDoc, 'url' | 'events' | 'description' | 'status' | 'secrets' | 'rotationKey'>
>;

/** One tenant's endpoints. */
export interface EndpointStore {
  /** False: there is one of that id. */
  insert(endpoint: EndpointDoc): Promise<boolean>;
  find(id: string): Promise<EndpointDoc | undefined>;
  count(): Promise<number>;
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly EndpointDoc[]>;
  /** Enabling one forgets why it was disabled. Undefined: there is none of that id. */
  change(id: string, changes: Changes): Promise<EndpointDoc | undefined>;
  /** Puts new secrets in the place of those that were read. Undefined: they have changed. */
  rotate(endpoint: EndpointDoc, changes: Changes): Promise<EndpointDoc | undefined>;
  remove(id: string): Promise<boolean>;
}

export function createEndpointStore(db: Db, tenantId: string): EndpointStore {
  const endpoints = collection<EndpointDoc>(db, 'webhook_endpoints');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const mine = (id: string): Filter<EndpointDoc> => ({ _id: id as EndpointId, tenantId });
  const move = async (filter: Filter<EndpointDoc>, changes: Changes) => {
    const isEnabled = changes.status === 'enabled';
    const moved = await endpoints.findOneAndUpdate(
      filter,
      {
        $set: changes,
        $currentDate: { updatedAt: true },
        ...(isEnabled && { $unset: { disabledReason: '', failingSince: '' } }),
      },
      { returnDocument: 'after' },
    );
    return moved ?? undefined;
  };
  return Object.freeze({
    insert: async (endpoint) => {
      try {
        await endpoints.insertOne(endpoint);
        return true;
      } catch (error) {
        if (faultOf(error) === 'duplicate-key') return false;
        throw error;
      }
    },
    find: async (id) => (await endpoints.findOne(mine(id), options)) ?? undefined,
    count: () => endpoints.countDocuments({ tenantId }, options),
    list: async ({ after, limit }) =>
      endpoints
        .find(
          { tenantId, ...(after !== undefined && { _id: { $lt: after as EndpointId } }) },
          options,
        )
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),
    change: (id, changes) => move(mine(id), changes),
    rotate: ({ _id, updatedAt }, changes) => move({ ...mine(_id), updatedAt }, changes),
    remove: async (id) => (await endpoints.deleteOne(mine(id))).deletedCount === 1,
  } satisfies EndpointStore);
}

/** What the delivery of webhooks needs of all tenants' endpoints. */
export interface EndpointHealthStore {
  findMany(ids: readonly string[]): Promise<readonly EndpointDoc[]>;
  ofTenant(tenantId: string): Promise<readonly EndpointDoc[]>;
  markHealthy(id: EndpointId): Promise<void>;
  markFailing(id: EndpointId): Promise<void>;
  /** With its notice, in one transaction. False: it was not enabled any more. */
  disable(id: EndpointId, reason: string, notice: OutboxRow): Promise<boolean>;
}

export function createEndpointHealthStore(db: Db): EndpointHealthStore {
  const endpoints = collection<EndpointDoc>(db, 'webhook_endpoints');
  const outbox = createOutboxStore(db);
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    findMany: async (ids) =>
      endpoints.find({ _id: { $in: ids as EndpointId[] } }, options).toArray(),
    ofTenant: async (tenantId) =>
      endpoints
        .find({ tenantId, status: 'enabled' }, options)
        .limit(LIMITS.webhookEndpointsMax)
        .toArray(),
    markHealthy: async (id) => {
      await endpoints.updateOne({ _id: id }, { $unset: { failingSince: '' } });
    },
    markFailing: async (id) => {
      await endpoints.updateOne({ _id: id, failingSince: { $exists: false } }, [
        { $set: { failingSince: '$$NOW' } },
      ]);
    },
    disable: (id, reason, notice) =>
      db.client.withSession((session) =>
        session.withTransaction(async () => {
          const disabled = await endpoints.updateOne(
            { _id: id, status: 'enabled' },
            {
              $set: { status: 'disabled', disabledReason: reason },
              $currentDate: { updatedAt: true },
            },
            { session },
          );
          if (disabled.matchedCount === 0) return false;
          await outbox.insert(session, [notice]);
          return true;
        }, TRANSACTION),
      ),
  } satisfies EndpointHealthStore);
}
