import { LRUCache } from 'lru-cache';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { LIMITS } from '../../config/limits.ts';
import type { TenantDoc } from './tenant.ts';
import type { TenantStore } from './tenant-store.ts';

/** Tenants as they were within LIMITS.apiKeyCacheMs, or since this process was told of a change. */
export interface TenantCache {
  /** Undefined: not in memory. */
  peek(tenantId: string): TenantDoc | undefined;
  /** Concurrent look-ups of one are one query. Undefined: there is none. */
  find(tenantId: string): Promise<TenantDoc | undefined>;
  forget(tenantId: string): void;
}

export function createTenantCache(tenants: Pick<TenantStore, 'find'>): TenantCache {
  const ttl = LIMITS.apiKeyCacheMs;
  const known = new LRUCache<string, TenantDoc>({ max: ACCESS_LIMITS.tenantCacheMax, ttl });
  const underWay = new Map<string, Promise<TenantDoc | undefined>>();
  /** What was read before something changed may be from before it. */
  let changes = 0;

  const load = async (tenantId: string): Promise<TenantDoc | undefined> => {
    const before = changes;
    const tenant = await tenants.find(tenantId);
    if (tenant === undefined || before !== changes) return tenant;
    const { status = 'active' } = tenant;
    // One that is being set up or was shut is waited for: its keys are to work soon after that.
    known.set(tenantId, tenant, { ttl: status === 'active' ? ttl : LIMITS.shutTenantCacheMs });
    return tenant;
  };

  return Object.freeze({
    peek: (tenantId: string) => known.get(tenantId),
    find: async (tenantId: string) => {
      const tenant = known.get(tenantId);
      if (tenant !== undefined) return tenant;
      const current = underWay.get(tenantId);
      if (current !== undefined) return current;
      const started = load(tenantId).finally(() => {
        if (underWay.get(tenantId) === started) underWay.delete(tenantId);
      });
      underWay.set(tenantId, started);
      return started;
    },
    forget: (tenantId: string) => {
      changes += 1;
      known.delete(tenantId);
      underWay.delete(tenantId);
    },
  } satisfies TenantCache);
}
