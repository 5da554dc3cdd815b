import { LRUCache } from 'lru-cache';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { LIMITS } from '../../config/limits.ts';
import type { ReadDatabaseTime } from '../infra/database-clock.ts';
import { present } from '../kernel/assert.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { createGroup } from '../kernel/group.ts';
import type { Plan } from '../../config/plan.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDoc } from '../tenants/tenant.ts';
import {
  type ApiKeyDoc,
  type Principal,
  isOver,
  isTenantOpen,
  parseApiKey,
  verdictOf,
} from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';

interface CachedKey {
  readonly key: ApiKeyDoc;
  /** Database time minus our monotonic clock: keys end by the former. */
  readonly offsetMs: number;
  /** Made once for each state of the tenant. */
  made?: { readonly of: TenantDoc; readonly principal: Principal };
  notedMs: number;
}

interface AuthenticatorDeps {
  readonly keys: Pick<ApiKeyStore, 'findMany'>;
  readonly tenants: TenantCache;
  readonly databaseTime: ReadDatabaseTime;
  readonly clock: Clock;
  /** Of a tenant that has none of its own. */
  readonly plan?: Plan;
  /** Told of a key in use, at most every ACCESS_LIMITS.keyUsedMs. */
  readonly onUse?: (keyId: string) => void;
}

export interface Authenticator {
  /**
   * Who the key belongs to, or undefined when it is not a valid one; `address` is where it comes
   * from. Answers from memory for LIMITS.apiKeyCacheMs after a look-up; concurrent look-ups are one
   * query.
   *
   * @throws AppError `unauthenticated` for a key that was good once, `tenant_suspended` or
   *   `tenant_closed`; and what the stores throw when the key is not in memory and the database is
   *   away.
   */
  authenticate(
    text: string,
    address?: string,
  ): Principal | undefined | Promise<Principal | undefined>;
  /** Who a key that was good before belongs to, if it still is. Same memory, same throws. */
  principalOf(keyId: string): Promise<Principal | undefined>;
}

export interface KeyCache extends Authenticator {
  /** A key has changed: it is read again. */
  forget(keyId: string): void;
}

/** Ids that do not exist are remembered apart, so that guessing cannot push out real keys. */
const UNKNOWN_KEYS_MAX = 1_000;

export function createAuthenticator(deps: AuthenticatorDeps): KeyCache {
  const { tenants, clock } = deps;
  const memory = createKeyMemory(deps);

  /** @throws AppError when the tenant lets nobody in. Undefined: it is not there for this key. */
  const admit = (cached: CachedKey, tenant: TenantDoc): Principal | undefined => {
    if (cached.made?.of === tenant) return cached.made.principal;
    if (!isTenantOpen(tenant, cached.key)) return undefined;
    refuseShut(tenant);
    const principal = principalOfKey(cached.key, tenant, deps.plan);
    cached.made = { of: tenant, principal };
    return principal;
  };
  const admitted = (cached: CachedKey): Principal | undefined | Promise<Principal | undefined> => {
    const { tenantId } = cached.key;
    const tenant = tenants.peek(tenantId);
    if (tenant !== undefined) return admit(cached, tenant);
    return tenants
      .find(tenantId)
      .then((found) => admit(cached, present(found, `tenant ${tenantId} of a key`)));
  };
  const nowMs = ({ offsetMs }: CachedKey): number => clock.monotonicMs() + offsetMs;
  const judge = (cached: CachedKey | undefined, secret: string) => {
    if (cached === undefined) return undefined;
    const verdict = verdictOf(cached.key, secret, nowMs(cached));
    if (verdict === 'wrong') return undefined;
    if (verdict !== 'valid') throw new AppError('unauthenticated', `The key is ${verdict}`);
    noteUse(cached, deps, memory.noted);
    return admitted(cached);
  };

  return Object.freeze({
    principalOf: async (keyId: string) => {
      const cached = memory.peek(keyId) ?? (await memory.load(keyId));
      if (cached === undefined || cached.key.revokedAt !== undefined) return undefined;
      if (isOver(cached.key, nowMs(cached))) return undefined;
      try {
        return await admitted(cached);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'forbidden') return undefined;
        throw error;
      }
    },
    authenticate: (text: string) => {
      const parts = parseApiKey(text);
      if (parts === undefined) return undefined;
      const { id, secret } = parts;
      const cached = memory.peek(id);
      if (cached !== undefined) return judge(cached, secret);
      if (memory.isUnknown(id)) return undefined;
      return memory.load(id).then((loaded) => judge(loaded, secret));
    },
    forget: memory.forget,
  } satisfies KeyCache);
}

/** @throws AppError `tenant_suspended` or `tenant_closed`. */
export function refuseShut({ status = 'active' }: Pick<TenantDoc, 'status'>): void {
  if (status === 'suspended') {
    throw new AppError('tenant_suspended', 'The tenant of the key is suspended for now');
  }
  if (status === 'closed') throw new AppError('tenant_closed', 'The tenant of the key is closed');
}

function principalOfKey(key: ApiKeyDoc, tenant: TenantDoc, fallback: Plan | undefined): Principal {
  const plan = tenant.plan ?? fallback;
  return {
    keyId: key._id,
    tenant: { tenantId: tenant._id, currencies: tenant.currencies },
    scopes: key.scopes,
    ...(plan !== undefined && { plan }),
    ...(key.expiresAt !== undefined && { expiresAt: key.expiresAt }),
  };
}

function noteUse(
  cached: CachedKey,
  { clock, onUse }: AuthenticatorDeps,
  noted: LRUCache<string, number>,
): void {
  if (onUse === undefined) return;
  const now = clock.monotonicMs();
  if (now - cached.notedMs < ACCESS_LIMITS.keyUsedMs) return;
  cached.notedMs = now;
  noted.set(cached.key._id, now); // outlives what is cached
  onUse(cached.key._id);
}

function createKeyMemory({ keys, databaseTime, clock }: AuthenticatorDeps) {
  const ttl = LIMITS.apiKeyCacheMs;
  const known = new LRUCache<string, CachedKey>({ max: LIMITS.apiKeyCacheMax, ttl });
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_KEYS_MAX, ttl });
  const noted = new LRUCache<string, number>({ max: LIMITS.apiKeyCacheMax });
  const underWay = new Map<string, Promise<CachedKey | undefined>>();
  /** What was read before something changed may be from before it. */
  let changes = 0;
  // However many ids somebody makes up, they are few queries.
  const reads = createGroup<string, { readonly key?: ApiKeyDoc }>({
    sizeMax: ACCESS_LIMITS.keyReadsMax,
    inFlightMax: ACCESS_LIMITS.keyReadSlots,
    run: async (ids) => {
      const found = await keys.findMany(ids);
      const byId = new Map(found.map((key) => [key._id, { key }]));
      return ids.map((id) => byId.get(id) ?? {});
    },
  });

  const load = async (id: string): Promise<CachedKey | undefined> => {
    const before = changes;
    const { key } = await reads.add(id);
    if (key === undefined) {
      unknown.set(id, true);
      return undefined;
    }
    const { now } = await databaseTime();
    const cached: CachedKey = {
      key,
      offsetMs: now.getTime() - clock.monotonicMs(),
      notedMs: noted.get(id) ?? Number.NEGATIVE_INFINITY,
    };
    if (before === changes) known.set(id, cached);
    return cached;
  };
  return {
    peek: (id: string) => known.get(id),
    isUnknown: (id: string) => unknown.has(id),
    load: (id: string): Promise<CachedKey | undefined> => {
      const current = underWay.get(id);
      if (current !== undefined) return current;
      const started = load(id).finally(() => {
        if (underWay.get(id) === started) underWay.delete(id);
      });
      underWay.set(id, started);
      return started;
    },
    forget: (id: string): void => {
      changes += 1;
      known.delete(id);
      unknown.delete(id);
      underWay.delete(id);
    },
    noted,
  };
}
