import type { Plan } from '../../config/plan.ts';

/** What people may make of a tenant. A suspended one can come back, a closed one cannot. */
export const TENANT_STATUSES = ['active', 'suspended', 'closed'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** An account of ours: whose users, wallets and operations are kept apart from everybody else's. */
export interface TenantDoc {
  readonly _id: string;
  /** Currencies beyond ISO 4217 that this tenant has defined. */
  readonly currencies: readonly string[];
  readonly createdAt: Date;
  /** Absent: active. `provisioning` and `abandoned` are of one that an operation sets up. */
  readonly status?: TenantStatus | 'provisioning' | 'abandoned';
  /** That operation. An id that was given up may be set up again by another. */
  readonly provisionedBy?: string;
  /** In place of the installation's plan. */
  readonly plan?: Plan;
  readonly changedAt?: Date;
}

const MOVES: Readonly<Record<TenantStatus, readonly TenantStatus[]>> = {
  active: ['suspended', 'closed'],
  suspended: ['active', 'closed'],
  closed: [],
};

/** Whether a tenant may be made that. Pure. */
export function mayBecome(from: NonNullable<TenantDoc['status']>, to: TenantStatus): boolean {
  return from === to || (isTenantStatus(from) && MOVES[from].includes(to));
}

export function isTenantStatus(text: string): text is TenantStatus {
  return TENANT_STATUSES.some((status) => status === text);
}

/** What every read and write is made for. Stores take one; there is no query without it. */
export interface TenantScope {
  readonly tenantId: string;
  readonly currencies: readonly string[];
}

/** The tenant that a fresh installation starts with. */
export const DEFAULT_TENANT_ID = 'default';
