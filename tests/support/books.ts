import type { Db } from 'mongodb';
import { expect } from 'vitest';
import type { EntryDoc, HoldDoc, WalletDoc } from '../../core/ledger/documents.ts';
import type { OperationDoc } from '../../core/saga/operation.ts';

const big = { useBigInt64: true };

/** Conservation, balance = fold of the log, gapless seq, no open hold of a terminal operation. */
export async function expectSoundBooks(db: Db): Promise<void> {
  const entries = await db.collection<EntryDoc>('transactions', big).find().toArray();
  const sums = new Map<string, bigint>();
  const folds = new Map<string, { real: bigint; bonus: bigint; locked: bigint; seqs: number[] }>();
  for (const entry of entries) {
    const signed = entry.direction === 'credit' ? entry.amount : -entry.amount;
    const key = `${entry.operationId} ${entry.currency} ${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signed);
    const fold = folds.get(entry.walletId) ?? { real: 0n, bonus: 0n, locked: 0n, seqs: [] };
    fold[entry.balanceType] += signed;
    fold.seqs.push(entry.seq);
    folds.set(entry.walletId, fold);
  }
  expect([...sums].filter(([, sum]) => sum !== 0n)).toEqual([]);
  const wallets = await db.collection<WalletDoc>('wallets', big).find().toArray();
  for (const wallet of wallets) {
    const fold = folds.get(wallet._id) ?? { real: 0n, bonus: 0n, locked: 0n, seqs: [] };
    expect(
      [wallet.balance, wallet.bonusBalance, wallet.lockedBalance],
      `the balances of ${wallet.userId}`,
    ).toEqual([fold.real, fold.bonus, fold.locked]);
    const seqs = fold.seqs.sort((a, b) => a - b);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(wallet.seq).toBe(seqs.length);
  }
  const managed = { status: 'open', managedBy: { $exists: true } } as const;
  for (const hold of await db.collection<HoldDoc>('holds', big).find(managed).toArray()) {
    const owner = await db
      .collection<OperationDoc>('operations')
      .findOne({ _id: hold.operationId });
    expect(owner?.completedAt, `the operation of open hold ${hold._id}`).toBeUndefined();
  }
}
