import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';

/** What the steps of the built-in operations reach outside the ledger. Adapters implement it. */
export interface SagaServices {
  readonly payments: PaymentProviders;
  readonly policies: TenantPolicies;
  readonly tenants: TenantSetup;
}

export interface PaymentRequest {
  /** The other side's idempotency key: the same at every attempt. */
  readonly key: string;
  /** Minor units, decimal digits. */
  readonly amount: string;
  readonly currency: string;
  /** A card token, an account: never stored by us beyond the operation. */
  readonly instrument: string;
  /** For a capture: the key of the authorisation. */
  readonly of?: string;
}

export type PaymentReply =
  | { readonly kind: 'done'; readonly reference: string }
  | { readonly kind: 'declined'; readonly failure: Failure };

export type PaymentLookup = PaymentReply | { readonly kind: 'absent' };

/**
 * A payment provider. Every call is idempotent by its key. A throw (AppError of retry class
 * `backoff` or `after`) means that the outcome is unknown.
 */
export interface PaymentProvider {
  authorise(request: PaymentRequest, signal: AbortSignal): Promise<PaymentReply>;
  capture(request: PaymentRequest, signal: AbortSignal): Promise<PaymentReply>;
  payout(request: PaymentRequest, signal: AbortSignal): Promise<PaymentReply>;
  /** Takes back what stands under the key; when nothing does, nothing ever will. */
  void(key: string, signal: AbortSignal): Promise<void>;
  find(key: string, signal: AbortSignal): Promise<PaymentLookup>;
}

export interface PaymentProviders {
  /** @throws AppError `provider_unknown` when no provider of that name is configured. */
  named(name: string): PaymentProvider;
}

/** A tenant's rules for money that comes and goes. Absent: the rule does not apply. */
export interface TenantPolicy {
  readonly currency: string;
  /** Bonus on deposits, hundredths of a percent, up to `max` minor units, from `min` on. */
  readonly depositBonus?: {
    readonly basisPoints: number;
    readonly max: string;
    readonly min?: string;
  };
  /** Withdrawals above `review` wait for a person; above `decline` they are refused. */
  readonly withdrawalRisk?: { readonly review?: string; readonly decline?: string };
}

export interface TenantPolicies {
  find(tenantId: string, currency: string): Promise<TenantPolicy | undefined>;
}

export interface NewTenant {
  readonly tenantId: string;
  readonly currencies: readonly string[];
  /** The operation that sets it up: a repeat of its own work is no conflict. */
  readonly operationId: string;
}

export interface FirstKey {
  readonly id: string;
  readonly hash: string;
}

/** Setting up a tenant; every call is idempotent for one operation. */
export interface TenantSetup {
  /** False: another operation has the id, or this one was taken back. */
  reserve(tenant: NewTenant): Promise<boolean>;
  prepareDatabase(tenantId: string): Promise<void>;
  /** False: the key id is taken by another tenant. */
  addKey(tenant: NewTenant, key: FirstKey): Promise<boolean>;
  activate(tenant: NewTenant): Promise<void>;
  /** Takes a reservation back, and keeps a late `reserve` or `addKey` of the operation out. */
  abandon(tenant: NewTenant): Promise<void>;
}

/** Text fields of a recorded result; a missing one is a broken journal. */
export function textField(value: Json | undefined, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const field = (value as Readonly<Record<string, Json>>)[name];
  return typeof field === 'string' ? field : undefined;
}
