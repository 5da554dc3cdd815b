import { type Authenticator, createAuthenticator } from '../../core/access/api-key-cache.ts';
import { type AccessNews, openAccessNews } from '../../core/access/access-news-cache.ts';
import { type ApiKeyStore, createApiKeyStore } from '../../core/access/api-key-store.ts';
import { bootstrapTenant } from '../../core/access/bootstrap.ts';
import { type KeyAdmin, createKeyAdmin } from '../../core/access/key-admin.ts';
import { type RateLimiter, createRateLimiter } from '../../core/access/rate-limiter.ts';
import { openSharedBuckets } from '../../core/access/shared-buckets-cache.ts';
import { startKeyUsage } from '../../core/access/key-usage.ts';
import { type Deed, type Doer, auditLine } from '../../core/audit/audit.ts';
import { type AuditStore, createAuditStore } from '../../core/audit/audit-store.ts';
import type { ReadDatabaseTime } from '../../core/infra/database-clock.ts';
import { createTenantCache } from '../../core/tenants/tenant-cache.ts';
import { type TenantAdmin, createTenantAdmin } from '../../core/tenants/tenant-admin.ts';
import { type TenantStore, createTenantStore } from '../../core/tenants/tenant-store.ts';
import { type GuessLimits, createGuarded } from '../http/guesses.ts';
import { createBearers, openTokens } from '../tokens/open-tokens.ts';
import { tenantDatabases } from '../../runtime/cells.ts';
import type { Platform } from '../../runtime/platform.ts';

export interface AuditLog extends Pick<AuditStore, 'list'> {
  /** Writes down what was done. Whoever does something administrative waits for it to stand. */
  note(doer: Doer, deed: Deed): Promise<void>;
}

/** What the endpoints of keys and of the audit work with. */
export interface AccessServices {
  readonly keys: KeyAdmin & Pick<ApiKeyStore, 'find' | 'list'> & { readonly graceSeconds: number };
  readonly audit: AuditLog;
  readonly tenants: TenantAdmin & Pick<TenantStore, 'find' | 'list'>;
}

export interface Access {
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  /** What a tenant that has just asked for something may have accepted and not begun. */
  readonly limitOf: (tenantId: string) => number | undefined;
  readonly access: AccessServices;
}

/** Who may come in, and what people do about that; the platform's lifecycle releases it. */
export async function openAccess(platform: Platform, guesses?: GuessLimits): Promise<Access> {
  const { env, mongo, clock, logger, lifecycle, databaseClock } = platform;
  const tenantStore = createTenantStore(mongo.db);
  const keys = createApiKeyStore(mongo.db);
  await bootstrapTenant({ keys, tenants: tenantStore, clock }, env.BOOTSTRAP_API_KEY);
  const databaseTime = databaseClock;
  const usage = startKeyUsage({ keys, databaseTime, clock, logger });
  lifecycle.onClose('key usage', () => usage.close());
  const tenants = createTenantCache(tenantStore);
  const keyCache = createAuthenticator({
    ...{ keys, tenants, databaseTime, clock },
    ...(env.DEFAULT_PLAN !== undefined && { plan: env.DEFAULT_PLAN }),
    onUse: (keyId) => {
      usage.note(keyId);
    },
  });
  const news = openNews(platform, {
    onKey: (keyId) => {
      keyCache.forget(keyId);
    },
    onTenant: (tenantId) => {
      tenants.forget(tenantId);
    },
  });
  const bearers = createBearers(keyCache, openTokens(platform, tenants));
  const audit = createAuditStore(tenantDatabases(platform));
  const admin = createKeyAdmin({
    keys,
    audit,
    databaseTime,
    onChange: (keyId) => {
      news.keyChanged(keyId);
    },
  });
  return Object.freeze({
    authenticator: createGuarded(bearers, clock, guesses),
    limiter: openLimiter(platform),
    limitOf: (tenantId: string) => (tenants.peek(tenantId)?.plan ?? env.DEFAULT_PLAN)?.backlogMax,
    access: {
      keys: { ...keys, ...admin, graceSeconds: env.API_KEY_GRACE_SECONDS },
      audit: auditLog(audit, databaseTime),
      tenants: {
        ...tenantStore,
        ...createTenantAdmin({
          ...{ tenants: tenantStore, audit },
          onChange: (tenantId) => {
            news.tenantChanged(tenantId);
          },
        }),
      },
    },
  });
}

function openLimiter({ redis, clock, logger, lifecycle }: Platform): RateLimiter {
  const shared = openSharedBuckets(redis);
  lifecycle.onClose('rates', () => shared.close());
  return createRateLimiter({ shared, clock, logger });
}

function openNews(
  { redis, lifecycle }: Platform,
  handlers: Parameters<typeof openAccessNews>[1],
): AccessNews {
  const news = openAccessNews(redis, handlers);
  lifecycle.onClose('access news', () => news.close());
  return news;
}

function auditLog(audit: AuditStore, databaseTime: ReadDatabaseTime): AuditLog {
  return {
    list: (...page) => audit.list(...page),
    note: async (doer, deed) => {
      const { now } = await databaseTime();
      await audit.add([auditLine(doer, deed, now)]);
    },
  };
}
