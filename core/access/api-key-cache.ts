import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../config/limits.ts';
import { present } from '../kernel/assert.ts';
import {
  type ApiKeyDoc,
  type Principal,
  isKeyValid,
  isTenantOpen,
  parseApiKey,
} from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';

interface CachedKey {
  readonly key: ApiKeyDoc;
  /** Undefined: the tenant lets nobody in. */
  readonly principal: Principal | undefined;
}

interface AuthenticatorDeps {
  readonly keys: ApiKeyStore;
  readonly tenants: TenantStore;
}

export interface Authenticator {
  /**
   * Who the key belongs to, or undefined when it is not a valid one. Answers from memory for
   * LIMITS.apiKeyCacheMs after a look-up; concurrent look-ups of one key are one query.
   *
   * @throws what the stores throw when the key is not in memory and the database is away.
   */
  authenticate(text: string): Principal | undefined | Promise<Principal | undefined>;
  /** Who a key that was good before belongs to, if it still is. Same memory, same throws. */
  principalOf(keyId: string): Promise<Principal | undefined>;
}

/** Ids that do not exist are remembered apart, so that guessing cannot push out real keys. */
const UNKNOWN_KEYS_MAX = 1_000;

export function createAuthenticator({ keys, tenants }: AuthenticatorDeps): Authenticator {
  const ttl = LIMITS.apiKeyCacheMs;
  const known = new LRUCache<string, CachedKey>({ max: LIMITS.apiKeyCacheMax, ttl });
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_KEYS_MAX, ttl });
  const underWay = new Map<string, Promise<CachedKey | undefined>>();

  const load = async (id: string): Promise<CachedKey | undefined> => {
    const key = await keys.find(id);
    if (key === undefined) {
      unknown.set(id, true);
      return undefined;
    }
    const tenant = present(await tenants.find(key.tenantId), `tenant ${key.tenantId} of a key`);
    const scope = { tenantId: tenant._id, currencies: tenant.currencies };
    const principal = { keyId: id, tenant: scope, scopes: key.scopes };
    const isOpen = isTenantOpen(tenant, key);
    const cached = { key, principal: isOpen ? principal : undefined };
    // A tenant that is being set up is waited for: its key is to work soon after that.
    known.set(id, cached, { ttl: isOpen ? ttl : LIMITS.shutTenantCacheMs });
    return cached;
  };
  const loadOnce = (id: string): Promise<CachedKey | undefined> => {
    const current = underWay.get(id);
    if (current !== undefined) return current;
    const started = load(id).finally(() => underWay.delete(id));
    underWay.set(id, started);
    return started;
  };

  return Object.freeze({
    principalOf: async (keyId: string) => {
      const cached = known.get(keyId) ?? (await loadOnce(keyId));
      return cached?.key.revokedAt === undefined ? cached?.principal : undefined;
    },
    authenticate: (text: string) => {
      const parts = parseApiKey(text);
      if (parts === undefined) return undefined;
      const judge = (cached: CachedKey | undefined): Principal | undefined =>
        cached !== undefined && isKeyValid(cached.key, parts.secret) ? cached.principal : undefined;
      const cached = known.get(parts.id);
      if (cached !== undefined) return judge(cached);
      if (unknown.has(parts.id)) return undefined;
      return loadOnce(parts.id).then(judge);
    },
  });
}
