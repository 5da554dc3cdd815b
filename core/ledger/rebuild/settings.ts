import type { UserStatus, WalletDoc, WalletStatus } from '../documents.ts';
import { laterOf } from '../book.ts';
import { openWallet } from '../wallet.ts';

/**
 * What an operation has set of a user's wallets and no entry says: that they were opened, and their
 * limits and statuses.
 */
export type Setting =
  | { readonly kind: 'user'; readonly userId: string; readonly status: UserStatus }
  | {
      readonly kind: 'open';
      readonly userId: string;
      readonly currency: string;
      readonly overdraftLimit: bigint;
    }
  | {
      readonly kind: 'wallet';
      readonly userId: string;
      readonly currency: string;
      readonly overdraftLimit?: bigint;
      readonly status?: WalletStatus;
    };

/** A setting with its place among those of its user. */
export interface PlacedSetting {
  readonly setting: Setting;
  /** Of the decision. */
  readonly at: Date;
  readonly stamp: bigint;
  readonly operationId: string;
  /** Among the settings of its operation. */
  readonly index: number;
}

/** In the order in which they were made: by the time inside their transactions, which none shares. */
function inOrder(settings: readonly PlacedSetting[]): readonly PlacedSetting[] {
  return [...settings].sort((a, b) => {
    if (a.at.getTime() !== b.at.getTime()) return a.at.getTime() - b.at.getTime();
    if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1;
    if (a.operationId !== b.operationId) return a.operationId < b.operationId ? -1 : 1;
    return a.index - b.index;
  });
}

/** The wallets of one user as their operations have opened and set them, without any money. Pure. */
export function walletsAsSet(
  tenantId: string,
  settings: readonly PlacedSetting[],
): ReadonlyMap<string, WalletDoc> {
  const wallets = new Map<string, WalletDoc>();
  let status: UserStatus = 'active';
  for (const { setting, at } of inOrder(settings)) {
    if (setting.kind === 'open') {
      const { userId, currency, overdraftLimit } = setting;
      const ownerBlocked = status === 'blocked';
      const fresh = { tenantId, userId, currency, overdraftLimit, ownerBlocked, at };
      wallets.set(currency, openWallet(fresh));
    } else if (setting.kind === 'wallet') {
      const wallet = wallets.get(setting.currency);
      if (wallet !== undefined) wallets.set(setting.currency, changed(wallet, setting, at));
    } else if (setting.status !== status) {
      status = setting.status;
      const ownerBlocked = status === 'blocked';
      for (const [currency, wallet] of wallets) {
        wallets.set(currency, {
          ...wallet,
          ownerBlocked,
          updatedAt: laterOf(at, wallet.updatedAt),
        });
      }
    }
  }
  return wallets;
}

function changed(
  wallet: WalletDoc,
  { overdraftLimit, status }: Extract<Setting, { kind: 'wallet' }>,
  at: Date,
): WalletDoc {
  return {
    ...wallet,
    ...(overdraftLimit !== undefined && { overdraftLimit }),
    ...(status !== undefined && { status }),
    updatedAt: laterOf(at, wallet.updatedAt),
  };
}
