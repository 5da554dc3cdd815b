/** An account of ours: whose users, wallets and operations are kept apart from everybody else's. */
export interface TenantDoc {
  readonly _id: string;
  /** Currencies beyond ISO 4217 that this tenant has defined. */
  readonly currencies: readonly string[];
  readonly createdAt: Date;
}

/** What every read and write is made for. Stores take one; there is no query without it. */
export interface TenantScope {
  readonly tenantId: string;
  readonly currencies: readonly string[];
}

/** The tenant that a fresh installation starts with. */
export const DEFAULT_TENANT_ID = 'default';

/** Tenant ids stand in ordering keys (`<tenant>|…`) and document ids (`<tenant>/…`). */
export const TENANT_ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;
