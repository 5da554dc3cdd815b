import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { EntryDoc, WalletDoc } from './documents.ts';

/** What the newest part of the log says of itself. */
export interface LedgerSample {
  readonly entries: number;
  readonly operations: number;
  /** Operations whose entries do not add up to nothing, per currency. */
  readonly unbalanced: readonly string[];
  readonly wallets: number;
  /** Wallets that say another balance than their entry of that number. */
  readonly disagreeing: readonly string[];
}

interface SampleOptions {
  readonly entriesMax: number;
  readonly walletsMax: number;
}

/**
 * The newest entries by operation, added up, and the wallets that they are of: a wallet and its entry
 * of the same `seq` were written together, so that no snapshot is needed to hold them against each
 * other. From the primary, since a secondary may have one and not yet the other.
 */
export async function sampleLedger(
  db: Db,
  { entriesMax, walletsMax }: SampleOptions,
): Promise<LedgerSample> {
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const transactions = collection<EntryDoc>(db, 'transactions');
  const newest = await transactions.find({}, options).sort({ _id: -1 }).limit(entriesMax).toArray();
  // The last one may have more entries than were read.
  const cut = newest.length < entriesMax ? undefined : newest.at(-1)?.operationId;
  const whole = newest.filter(({ operationId }) => operationId !== cut);
  const walletIds = [...new Set(newest.map(({ walletId }) => walletId))].slice(0, walletsMax);
  const wallets = await collection<WalletDoc>(db, 'wallets')
    .find({ _id: { $in: walletIds } }, options)
    .toArray();
  const disagreeing = await Promise.all(
    wallets.map(async (wallet) => {
      const last = await transactions.findOne({ walletId: wallet._id, seq: wallet.seq }, options);
      return last !== null && agrees(wallet, last) ? [] : [wallet._id];
    }),
  );
  return {
    entries: whole.length,
    operations: new Set(whole.map(({ operationId }) => operationId)).size,
    unbalanced: unbalancedOf(whole),
    wallets: wallets.length,
    disagreeing: disagreeing.flat(),
  };
}

/** Pure. Per currency and kind of balance. */
function unbalancedOf(entries: readonly EntryDoc[]): readonly string[] {
  const sums = new Map<string, { readonly id: string; sum: bigint }>();
  for (const { operationId, currency, balanceType, direction, amount } of entries) {
    const key = `${operationId} ${currency} ${balanceType}`;
    const one = sums.get(key) ?? { id: operationId, sum: 0n };
    one.sum += direction === 'credit' ? amount : -amount;
    sums.set(key, one);
  }
  return [...new Set([...sums.values()].filter(({ sum }) => sum !== 0n).map(({ id }) => id))];
}

function agrees(wallet: WalletDoc, { balanceType, balanceAfter }: EntryDoc): boolean {
  const { balance, bonusBalance, lockedBalance } = wallet;
  return (
    balanceAfter === { real: balance, bonus: bonusBalance, locked: lockedBalance }[balanceType]
  );
}
