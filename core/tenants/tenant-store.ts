import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { TenantDoc } from './tenant.ts';

export interface TenantStore {
  find(tenantId: string): Promise<TenantDoc | undefined>;
  /** Creates the tenant unless it is there; an existing one stays as it is. */
  ensure(tenant: TenantDoc): Promise<void>;
  /** The ids of those that have work, whether they may ask for more or not; by id. */
  working(max: number): Promise<readonly string[]>;
  /** All of them by id, those that come after `after`. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly TenantDoc[]>;
}

export function createTenantStore(db: Db): TenantStore {
  const tenants = collection<TenantDoc>(db, 'tenants');
  return Object.freeze({
    find: async (tenantId: string) => {
      const found = await tenants.findOne({ _id: tenantId }, { maxTimeMS: LIMITS.listMaxTimeMs });
      return found ?? undefined;
    },
    ensure: async ({ _id, ...rest }: TenantDoc) => {
      await tenants.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
    },
    working: async (max: number) => {
      const found = await tenants
        .find({ status: { $nin: ['provisioning', 'abandoned'] } }, { projection: { _id: 1 } })
        .maxTimeMS(LIMITS.listMaxTimeMs)
        .sort({ _id: 1 })
        .limit(max)
        .toArray();
      return found.map(({ _id }) => _id);
    },
    list: async ({ after = '', limit }: Parameters<TenantStore['list']>[0]) =>
      tenants
        .find({ _id: { $gt: after } }, { maxTimeMS: LIMITS.listMaxTimeMs })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
  });
}
