import type { HoldId, OperationId, TransferId, WalletId } from '../kernel/ids.ts';

export type BalanceType = 'real' | 'bonus' | 'locked';
export type Direction = 'debit' | 'credit';
export type WalletStatus = 'active' | 'frozen' | 'closed';

/** The snapshot of a wallet's entries. *Available* = balance − lockedBalance + overdraftLimit. */
export interface WalletDoc {
  readonly _id: WalletId;
  readonly tenantId: string;
  readonly userId: string;
  readonly currency: string;
  readonly balance: bigint;
  readonly bonusBalance: bigint;
  readonly lockedBalance: bigint;
  readonly overdraftLimit: bigint;
  readonly status: WalletStatus;
  /** Set while the owner is blocked: refuses what `frozen` refuses. */
  readonly ownerBlocked: boolean;
  /** Number of its last entry; gapless from 1. */
  readonly seq: number;
  /** Lifetime totals of the real balance. */
  readonly totalCredited: bigint;
  readonly totalDebited: bigint;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One line of the log. Append-only. `_id` is `<operationId>.<leg>`, the last fence. */
export interface EntryDoc {
  readonly _id: string;
  readonly operationId: OperationId;
  readonly leg: number;
  readonly tenantId: string;
  readonly walletId: WalletId;
  readonly userId: string;
  readonly currency: string;
  readonly balanceType: BalanceType;
  readonly direction: Direction;
  readonly amount: bigint;
  /** Of the balance named by `balanceType`, after this entry. */
  readonly balanceAfter: bigint;
  readonly seq: number;
  readonly createdAt: Date;
  /** The time of its decision, where `createdAt` had to be later: what else it wrote bears this one. */
  readonly decidedAt?: Date;
  readonly effectiveAt?: Date;
  readonly transferId?: TransferId;
  readonly holdId?: HoldId;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type TransferStatus = 'settled' | 'partially_reversed' | 'reversed';

export interface TransferDoc {
  readonly _id: TransferId;
  readonly tenantId: string;
  readonly operationId: OperationId;
  readonly fromUserId: string;
  readonly toUserId: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly status: TransferStatus;
  readonly reversedAmount: bigint;
  readonly description?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type HoldStatus = 'open' | 'captured' | 'released' | 'expired';

export interface HoldDoc {
  readonly _id: HoldId;
  readonly tenantId: string;
  readonly operationId: OperationId;
  readonly userId: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly captured: bigint;
  readonly released: bigint;
  readonly status: HoldStatus;
  /** Type of the operation that alone may capture or release it. */
  readonly managedBy?: string;
  readonly expiresAt?: Date;
  readonly description?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Contacts {
  readonly email?: string;
  readonly phone?: string;
  readonly locale?: string;
}

/** A device or browser of a user that takes push messages. */
export type PushTargetDoc =
  | { readonly kind: 'fcm'; readonly token: string }
  | {
      readonly kind: 'webpush';
      readonly endpoint: string;
      readonly keys: { readonly p256dh: string; readonly auth: string };
    };

/** Local times of day, `22:00` to `07:00`, in an IANA time zone. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
}

export type UserStatus = 'active' | 'blocked';

export interface UserDoc {
  /** `<tenantId>/<userId>` */
  readonly _id: string;
  readonly tenantId: string;
  /** Chosen by the tenant. */
  readonly userId: string;
  readonly displayName?: string;
  readonly contacts?: Contacts;
  /** Opt-outs and opt-ins, by channel, category or event. */
  readonly notifications?: Readonly<Record<string, boolean>>;
  readonly pushTargets?: readonly PushTargetDoc[];
  readonly quietHours?: QuietHours;
  readonly status: UserStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export function userDocId(tenantId: string, userId: string): string {
  return `${tenantId}/${userId}`;
}

/** Legs that one posting of a stepwise operation may have. */
export const LEGS_PER_POSTING = 50;
/** Lapsed holds that it may give back for its money: two legs each, the rest is for its own. */
export const LAPSED_PER_POSTING = 20;

/** System wallets are the other side of credits, debits, fees and bonuses; they may go negative. */
export const SYSTEM_WALLETS = ['world', 'fees', 'bonus-pool', 'clearing'] as const;
export type SystemWallet = (typeof SYSTEM_WALLETS)[number];

const SYSTEM_PREFIX = 'sys:';

/** The user id of a stripe of a system wallet, `sys:world#3`: one hot document becomes several. */
export function systemUserId(name: SystemWallet, stripe: number): string {
  return `${systemUserPrefix(name)}${stripe}`;
}

/** What the ids of all its stripes begin with. */
export function systemUserPrefix(name: SystemWallet): string {
  return `${SYSTEM_PREFIX}${name}#`;
}

/** Tenants cannot choose such ids, so a user wallet never poses as a system wallet. */
export function isSystemUser(userId: string): boolean {
  return userId.startsWith(SYSTEM_PREFIX);
}
