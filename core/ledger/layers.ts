import type { HoldDoc, WalletDoc } from './documents.ts';
import { assertWallet } from './wallet.ts';

interface Layer {
  readonly wallets: ReadonlyMap<string, WalletDoc>;
  readonly holds: ReadonlyMap<string, HoldDoc>;
}

/** What stands in layers of the ledger, the nearest first. */
export function walletsOf(
  tenantId: string,
  userId: string,
  layers: readonly Layer[],
): readonly WalletDoc[] {
  const found = new Map<string, WalletDoc>();
  for (const layer of layers) {
    for (const wallet of layer.wallets.values()) {
      const isTheirs = wallet.tenantId === tenantId && wallet.userId === userId;
      if (!isTheirs || found.has(wallet._id)) continue;
      assertWallet(wallet);
      found.set(wallet._id, wallet);
    }
  }
  return [...found.values()];
}

export function holdsOf(
  { tenantId, userId, currency }: Pick<WalletDoc, 'tenantId' | 'userId' | 'currency'>,
  layers: readonly Layer[],
): readonly HoldDoc[] {
  const found = new Map<string, HoldDoc>();
  for (const layer of layers) {
    for (const hold of layer.holds.values()) {
      const isIts =
        hold.tenantId === tenantId && hold.userId === userId && hold.currency === currency;
      if (isIts && !found.has(hold._id)) found.set(hold._id, hold);
    }
  }
  return [...found.values()];
}
