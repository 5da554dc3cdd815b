import type { Channel, Deferral, DeliveryBrief } from './operation.ts';

/** Documents as the API shows them: amounts are minor units, as digits; times are UTC. */

export interface User {
  readonly id: string;
  readonly userId: string;
  readonly displayName?: string;
  readonly contacts?: {
    readonly email?: string;
    readonly phone?: string;
    readonly locale?: string;
  };
  readonly notifications?: Readonly<Record<string, boolean>>;
  readonly quietHours?: { readonly from: string; readonly to: string; readonly zone: string };
  readonly pushTargets?: ReadonlyArray<
    | { readonly kind: 'fcm'; readonly token: string }
    | { readonly kind: 'webpush'; readonly endpoint: string }
  >;
  readonly status: 'active' | 'blocked';
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly links: { readonly self: string; readonly wallets: string };
}

interface Balances {
  readonly balance: string;
  readonly bonusBalance: string;
  readonly lockedBalance: string;
}

export interface Wallet extends Balances {
  readonly id: string;
  readonly userId: string;
  readonly currency: string;
  readonly status: 'active' | 'frozen' | 'closed';
  readonly overdraftLimit: string;
  /** What can be spent: balance − locked + overdraft limit. */
  readonly available: string;
  readonly seq: number;
  readonly totalCredited: string;
  readonly totalDebited: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly links: {
    readonly self: string;
    readonly balance: string;
    readonly transactions: string;
  };
}

/** Now: with what can be spent. */
export interface Balance extends Balances {
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly overdraftLimit: string;
  readonly available: string;
  readonly seq: number;
}

/** As the log had it at a time; limits are not part of the log. */
export interface BalanceAt extends Balances {
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly at: string;
  readonly seq: number;
}

export interface SystemWallet extends Balances {
  readonly name: string;
  readonly currency: string;
}

export interface Transfer {
  readonly id: string;
  readonly operationId: string;
  readonly fromUserId: string;
  readonly toUserId: string;
  readonly currency: string;
  readonly amount: string;
  readonly fee: string;
  readonly status: 'settled' | 'reversed' | 'partially_reversed';
  readonly reversedAmount: string;
  readonly description?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly links: { readonly self: string };
}

export type HoldStatus = 'open' | 'captured' | 'released' | 'expired';

export interface Hold {
  readonly id: string;
  readonly operationId: string;
  readonly userId: string;
  readonly currency: string;
  readonly amount: string;
  readonly captured: string;
  readonly released: string;
  readonly remaining: string;
  readonly status: HoldStatus;
  readonly expiresAt?: string;
  readonly description?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly links: { readonly self: string };
}

/** A message, or a webhook call, as lists show it. */
export interface Delivery extends DeliveryBrief {
  readonly operationId?: string;
  readonly category: string;
  readonly address: string;
  readonly template: string;
  readonly attemptsUsed: number;
  readonly deferral?: Deferral;
  readonly notBefore?: string;
  readonly resends?: number;
  readonly expiresAt: string;
  readonly links: { readonly self: string };
}

/** With its attempts and its data. */
export interface DeliveryDetail extends Delivery {
  readonly locale?: string;
  readonly content?: { readonly subject?: string; readonly text: string; readonly html?: string };
  readonly data: Readonly<Record<string, unknown>>;
  readonly items?: readonly unknown[];
  readonly itemsMore?: number;
  readonly attempts: ReadonlyArray<{
    readonly at: string;
    readonly provider: string;
    readonly outcome: string;
    readonly code?: string;
    readonly detail?: string;
    readonly status?: number;
    readonly reference?: string;
    readonly ms: number;
    readonly worker: string;
  }>;
}

export interface WebhookEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly description?: string;
  readonly status: 'enabled' | 'disabled';
  readonly disabledReason?: string;
  readonly failingSince?: string;
  /** In the first answer only: keep it. */
  readonly secret?: string;
  readonly oldSecretUntil?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly links: { readonly self: string };
}

export interface Template {
  readonly id: string;
  readonly name: string;
  readonly channel: Channel;
  readonly locale: string;
  readonly version: number;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  readonly createdAt: string;
}

export interface Suppression {
  readonly id: string;
  readonly channel: Channel;
  readonly address: string;
  readonly reason: string;
  readonly createdAt: string;
}
