import { type KeyCache, createAuthenticator } from '../../core/access/api-key-cache.ts';
import { type AccessNews, openAccessNews } from '../../core/access/access-news-cache.ts';
import { type ApiKeyStore, createApiKeyStore } from '../../core/access/api-key-store.ts';
import { bootstrapTenant } from '../../core/access/bootstrap.ts';
import { type KeyAdmin, createKeyAdmin } from '../../core/access/key-admin.ts';
import { startKeyUsage } from '../../core/access/key-usage.ts';
import { type Deed, type Doer, auditLine } from '../../core/audit/audit.ts';
import { type AuditStore, createAuditStore } from '../../core/audit/audit-store.ts';
import type { ReadDatabaseTime } from '../../core/infra/database-clock.ts';
import { createTenantCache } from '../../core/tenants/tenant-cache.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import type { Platform } from '../../runtime/platform.ts';

export interface AuditLog extends Pick<AuditStore, 'list'> {
  /** Writes down what was done. Whoever does something administrative waits for it to stand. */
  note(doer: Doer, deed: Deed): Promise<void>;
}

/** What the endpoints of keys and of the audit work with. */
export interface AccessServices {
  readonly keys: KeyAdmin & Pick<ApiKeyStore, 'find' | 'list'> & { readonly graceSeconds: number };
  readonly audit: AuditLog;
}

export interface Access {
  readonly authenticator: KeyCache;
  readonly services: AccessServices;
}

/** Who may come in, and what people do about that; the platform's lifecycle releases it. */
export async function openAccess(platform: Platform): Promise<Access> {
  const { env, mongo, clock, logger, lifecycle, databaseClock } = platform;
  const tenantStore = createTenantStore(mongo.db);
  const keys = createApiKeyStore(mongo.db);
  await bootstrapTenant({ keys, tenants: tenantStore, clock }, env.BOOTSTRAP_API_KEY);
  const databaseTime = databaseClock;
  const usage = startKeyUsage({ keys, databaseTime, clock, logger });
  lifecycle.onClose('key usage', () => usage.close());
  const tenants = createTenantCache(tenantStore);
  const authenticator = createAuthenticator({
    ...{ keys, tenants, databaseTime, clock },
    onUse: (keyId) => {
      usage.note(keyId);
    },
  });
  const news = openNews(platform, {
    onKey: (keyId) => {
      authenticator.forget(keyId);
    },
    onTenant: (tenantId) => {
      tenants.forget(tenantId);
    },
  });
  const audit = createAuditStore(mongo.db);
  const admin = createKeyAdmin({
    keys,
    audit,
    databaseTime,
    onChange: (keyId) => {
      news.keyChanged(keyId);
    },
  });
  return Object.freeze({
    authenticator,
    services: {
      keys: { ...keys, ...admin, graceSeconds: env.API_KEY_GRACE_SECONDS },
      audit: auditLog(audit, databaseTime),
    },
  });
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
