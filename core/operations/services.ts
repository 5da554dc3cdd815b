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
  /** @throws AppError `worker_unfit` when this process has no address of it. */
  named(name: string): PaymentProvider;
  /** To be asked before every call, and before the intent of it is stored. */
  request(name: string, tenantId?: string): Promise<PaymentPermit>;
  /** How its calls are tried, for a tenant; by default as the steps say. */
  terms?(name: string, tenantId: string): PaymentTerms;
}

export interface PaymentTerms {
  /** A call that has not been answered by then has failed. */
  readonly timeoutMs: number;
  /** A step waits so long for a provider that does not answer. */
  readonly patienceMs: number;
  readonly retry: {
    readonly attemptsMax: number;
    readonly baseMs: number;
    readonly capMs: number;
  };
}

/** How a call has come back, as far as the provider's health goes. */
export type PaymentOutcome =
  | { readonly kind: 'answered' }
  /** It is well, and asks for patience; `waitMs`: what it asked for. */
  | { readonly kind: 'throttled'; readonly waitMs?: number }
  | { readonly kind: 'failed'; readonly waitMs?: number };

export type PaymentPermit =
  /** One of the two has to be called: with what came of it, or when nothing was sent after all. */
  | {
      readonly kind: 'go';
      report(outcome: PaymentOutcome): Promise<void>;
      cancel(): void;
    }
  /** Not now: it is down, has asked for patience, or (`isBusy`) has as many calls as it may have. */
  | { readonly kind: 'kept'; readonly waitMs: number; readonly isBusy?: true }
  /** Somebody has said that it is not to be called. */
  | { readonly kind: 'paused'; readonly waitMs: number }
  /** This process lacks it, and others may not. */
  | { readonly kind: 'elsewhere' };

/** Keeps calls back that would be in vain, and one provider's troubles from the others. */
export interface PaymentAdmission {
  request(name: string, tenantId?: string): Promise<PaymentPermit>;
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
