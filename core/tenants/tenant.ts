/** An account of ours: whose users, wallets and operations are kept apart from everybody else's. */
export interface TenantDoc {
  readonly _id: string;
  /** Currencies beyond ISO 4217 that this tenant has defined. */
  readonly currencies: readonly string[];
  readonly createdAt: Date;
  /** Of one that was set up by an operation: only an active one may do anything. */
  readonly status?: 'provisioning' | 'active' | 'abandoned';
  /** That operation. An id that was given up may be set up again by another. */
  readonly provisionedBy?: string;
}

/** What every read and write is made for. Stores take one; there is no query without it. */
export interface TenantScope {
  readonly tenantId: string;
  readonly currencies: readonly string[];
}

/** The tenant that a fresh installation starts with. */
export const DEFAULT_TENANT_ID = 'default';
