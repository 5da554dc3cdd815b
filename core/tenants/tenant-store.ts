import type { ClientSession, Db } from 'mongodb';
import type { Plan } from '../../config/plan.ts';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import type { TenantDoc, TenantStatus } from './tenant.ts';

/** What a tenant is made. A plan of `null`: that of the installation. */
export interface TenantChanges {
  readonly status?: TenantStatus;
  readonly plan?: Plan | null;
}

/** Looks at what is to be changed, and may throw; writes what stands beside the change. */
export interface TenantChangeSteps {
  readonly check: (before: TenantDoc) => void;
  readonly beside: (
    session: ClientSession,
    change: { readonly before: TenantDoc; readonly after: TenantDoc; readonly now: Date },
  ) => Promise<void>;
}

export interface TenantStore {
  find(tenantId: string): Promise<TenantDoc | undefined>;
  /** Creates the tenant unless it is there; an existing one stays as it is. */
  ensure(tenant: TenantDoc): Promise<void>;
  /** In one transaction with what stands beside it. Undefined: there is none. */
  change(
    tenantId: string,
    changes: TenantChanges,
    steps: TenantChangeSteps,
  ): Promise<TenantDoc | undefined>;
  /** By id. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly TenantDoc[]>;
  /** The ids of those that have work, whether they may ask for more or not; by id. */
  working(max: number): Promise<readonly string[]>;
}

export function createTenantStore(db: Db): TenantStore {
  const tenants = collection<TenantDoc>(db, 'tenants');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  return Object.freeze({
    find: async (tenantId: string) =>
      (await tenants.findOne({ _id: tenantId }, options)) ?? undefined,
    ensure: async ({ _id, ...rest }: TenantDoc) => {
      await tenants.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
    },
    change: async (tenantId, { status, plan }, { check, beside }) => {
      const { now } = await readDatabaseTime(db);
      return db.client.withSession((session) =>
        session.withTransaction(async () => {
          const before = await tenants.findOne({ _id: tenantId }, { session });
          if (before === null) return undefined;
          check(before);
          const set = {
            ...(status !== undefined && { status }),
            ...(plan !== undefined && plan !== null && { plan }),
            changedAt: now,
          };
          const after = await tenants.findOneAndUpdate(
            { _id: tenantId },
            { $set: set, ...(plan === null && { $unset: { plan: '' as const } }) },
            { session, returnDocument: 'after' },
          );
          if (after === null) return undefined;
          await beside(session, { before, after, now });
          return after;
        }, TRANSACTION),
      );
    },
    list: async ({ after, limit }) =>
      tenants
        .find(after === undefined ? {} : { _id: { $gt: after } }, options)
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    working: async (max: number) => {
      const found = await tenants
        .find({ status: { $nin: ['provisioning', 'abandoned'] } }, { projection: { _id: 1 } })
        .maxTimeMS(LIMITS.listMaxTimeMs)
        .sort({ _id: 1 })
        .limit(max)
        .toArray();
      return found.map(({ _id }) => _id);
    },
  } satisfies TenantStore);
}
