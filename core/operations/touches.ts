import { walletIdOf } from '../kernel/ids.ts';
import { type SystemWallet, systemUserId, userDocId } from '../ledger/documents.ts';
import type { LedgerReads } from '../ledger/ledger-store.ts';

export interface WalletRef {
  readonly userId: string;
  readonly currency: string;
}

/** What a decision reads: loaded before it, in two queries at most. */
export interface Touches {
  readonly users?: readonly string[];
  readonly wallets?: readonly WalletRef[];
  /** Users of whom every wallet is needed. */
  readonly walletsOf?: readonly string[];
  readonly systems?: readonly { readonly name: SystemWallet; readonly currency: string }[];
  /** Loaded together with the wallets at both their ends. */
  readonly transfers?: readonly string[];
  /** Loaded together with their wallets. */
  readonly holds?: readonly string[];
}

export const NO_TOUCHES: Required<Touches> = {
  users: [],
  wallets: [],
  walletsOf: [],
  systems: [],
  transfers: [],
  holds: [],
};

export interface TenantTouches {
  readonly tenantId: string;
  readonly touches: Touches;
}

/** Everything that the decisions of a batch will look at, for one loading. Pure. */
export function readsOf(batch: readonly TenantTouches[], stripe: number): LedgerReads {
  const reads = {
    users: new Set<string>(),
    wallets: new Set<string>(),
    transfers: new Set<string>(),
    holds: new Set<string>(),
    owners: new Array<{ tenantId: string; userId: string }>(),
    stripe,
  };
  for (const { tenantId, touches } of batch) {
    const { users, wallets, systems, walletsOf, transfers, holds } = { ...NO_TOUCHES, ...touches };
    for (const userId of users) reads.users.add(userDocId(tenantId, userId));
    for (const ref of wallets) reads.wallets.add(walletIdOf(tenantId, ref.userId, ref.currency));
    for (const { name, currency } of systems) {
      reads.wallets.add(walletIdOf(tenantId, systemUserId(name, stripe), currency));
    }
    for (const userId of walletsOf) reads.owners.push({ tenantId, userId });
    for (const id of transfers) reads.transfers.add(id);
    for (const id of holds) reads.holds.add(id);
  }
  return reads;
}
