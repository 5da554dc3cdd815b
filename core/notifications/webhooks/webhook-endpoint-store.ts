import { randomInt } from 'node:crypto';
import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { faultOf } from '../../infra/database-errors.ts';
import { TRANSACTION } from '../../infra/mongo.ts';
import type { OutboxRow } from '../../events/outbox.ts';
import { createOutboxStore } from '../../events/outbox-store.ts';
import type { WebhookEndpointDoc, EndpointId } from './webhook-endpoint.ts';

type Changes = Partial<
  Pick<WebhookEndpointDoc, 'url' | 'events' | 'status' | 'secrets' | 'rotationKeys'>
> & {
  /** Null removes it. */
  readonly description?: string | null;
};

/** One tenant's endpoints. */
export interface EndpointStore {
  /** `known`: there is one of that id; `slot-taken`: somebody else has just got its slot. */
  insert(endpoint: WebhookEndpointDoc): Promise<'inserted' | 'known' | 'slot-taken'>;
  find(id: string): Promise<WebhookEndpointDoc | undefined>;
  /** Some slot that is free at the moment; undefined: the tenant has as many as it may. */
  freeSlot(): Promise<number | undefined>;
  list(page: {
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly WebhookEndpointDoc[]>;
  /**
   * `isAnew`: what is known of its failures is forgotten (it has another URL). Enabling one forgets
   * why it was disabled, too. Undefined: there is none of that id.
   */
  change(id: string, changes: Changes, isAnew: boolean): Promise<WebhookEndpointDoc | undefined>;
  /** Puts new secrets in the place of those that were read. Undefined: they have changed. */
  rotate(endpoint: WebhookEndpointDoc, changes: Changes): Promise<WebhookEndpointDoc | undefined>;
  remove(id: string): Promise<boolean>;
}

export function createEndpointStore(db: Db, tenantId: string): EndpointStore {
  const endpoints = collection<WebhookEndpointDoc>(db, 'webhook_endpoints');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const mine = (id: string): Filter<WebhookEndpointDoc> => ({ _id: id as EndpointId, tenantId });
  const move = async (filter: Filter<WebhookEndpointDoc>, changes: Changes, isAnew = false) => {
    const { description, ...others } = changes;
    const isEnabled = changes.status === 'enabled';
    const unset = {
      ...(description === null && { description: '' as const }),
      ...(isEnabled && { disabledReason: '' as const }),
      ...((isEnabled || isAnew) && { failingSince: '' as const, failedAt: '' as const }),
    };
    const moved = await endpoints.findOneAndUpdate(
      filter,
      {
        $set: { ...others, ...(typeof description === 'string' && { description }) },
        $currentDate: { updatedAt: true },
        ...(Object.keys(unset).length > 0 && { $unset: unset }),
      },
      { returnDocument: 'after' },
    );
    return moved ?? undefined;
  };
  return Object.freeze({
    insert: async (endpoint) => {
      try {
        await endpoints.insertOne(endpoint);
        return 'inserted';
      } catch (error) {
        if (faultOf(error) !== 'duplicate-key') throw error;
        const known = await endpoints.countDocuments(mine(endpoint._id), { ...options, limit: 1 });
        return known > 0 ? 'known' : 'slot-taken';
      }
    },
    find: async (id) => (await endpoints.findOne(mine(id), options)) ?? undefined,
    freeSlot: async () => {
      const max = LIMITS.webhookEndpointsMax;
      const found = await endpoints
        .find({ tenantId }, { ...options, projection: { slot: 1 } })
        .limit(max)
        .toArray();
      const taken = new Set(found.flatMap(({ slot }) => slot ?? []));
      // One that was made before there were slots counts as well.
      const size = max - (found.length - taken.size);
      const free = Array.from({ length: size }, (_, slot) => slot).filter((n) => !taken.has(n));
      // Any of them: others who look at the same moment are to find another.
      return found.length >= max || free.length === 0 ? undefined : free[randomInt(free.length)];
    },
    list: async ({ after, limit }) =>
      endpoints
        .find(
          { tenantId, ...(after !== undefined && { _id: { $lt: after as EndpointId } }) },
          options,
        )
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),
    change: (id, changes, isAnew) => move(mine(id), changes, isAnew),
    rotate: ({ _id, secrets: [current] }, changes) =>
      move({ ...mine(_id), 'secrets.0.secret': current?.secret }, changes),
    remove: async (id) => (await endpoints.deleteOne(mine(id))).deletedCount === 1,
  } satisfies EndpointStore);
}

/** What the delivery of webhooks needs of all tenants' endpoints. */
export interface EndpointHealthStore {
  findMany(ids: readonly string[]): Promise<readonly WebhookEndpointDoc[]>;
  /** The disabled ones as well: what they miss stands in the log. */
  ofTenant(tenantId: string): Promise<readonly WebhookEndpointDoc[]>;
  /** These are about the URL that was called: one that has got another is left alone. */
  markHealthy(endpoint: WebhookEndpointDoc): Promise<void>;
  markFailing(endpoint: WebhookEndpointDoc): Promise<void>;
  /** With its notice, in one transaction. False: it was not enabled any more. */
  disable(endpoint: WebhookEndpointDoc, reason: string, notice: OutboxRow): Promise<boolean>;
}

export function createEndpointHealthStore(db: Db): EndpointHealthStore {
  const endpoints = collection<WebhookEndpointDoc>(db, 'webhook_endpoints');
  const outbox = createOutboxStore(db);
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    findMany: async (ids) =>
      endpoints.find({ _id: { $in: ids as EndpointId[] } }, options).toArray(),
    ofTenant: async (tenantId) =>
      endpoints.find({ tenantId }, options).limit(LIMITS.webhookEndpointsMax).toArray(),
    markHealthy: async ({ _id, url }) => {
      await endpoints.updateOne({ _id, url }, { $unset: { failingSince: '', failedAt: '' } });
    },
    markFailing: async ({ _id, url }) => {
      await endpoints.updateOne({ _id, url }, [
        { $set: { failingSince: FAILING_SINCE, failedAt: '$$NOW' } },
      ]);
    },
    disable: ({ _id, url }, reason, notice) =>
      db.client.withSession((session) =>
        session.withTransaction(async () => {
          const disabled = await endpoints.updateOne(
            { _id, url, status: 'enabled' },
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

/** As it was while the failures go on; after a long pause (`healthOf` has the same rule) from now. */
const FAILING_SINCE = {
  $cond: [
    {
      $gt: [
        { $ifNull: ['$failedAt', '$failingSince'] },
        { $subtract: ['$$NOW', LIMITS.webhookFailingPauseMsMax] },
      ],
    },
    { $ifNull: ['$failingSince', '$$NOW'] },
    '$$NOW',
  ],
};
