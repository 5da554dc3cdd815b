import type { SystemWallet } from '../ledger/documents.ts';

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
