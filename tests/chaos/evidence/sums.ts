import type { Document } from 'mongodb';
import { OVER } from '../checker/evidence.ts';
import { addTo } from '../checker/rule.ts';
import type { Read } from './reader.ts';

/** The books in a few numbers that the server adds up, so that looking is cheap while it works. */

/** Operations that have not ended. */
export async function countOpen(read: Read): Promise<number> {
  return countOf(read, 'operations', { status: { $nin: OVER } });
}

export async function countOf(read: Read, collection: string, which: Document): Promise<number> {
  const [found] = await read.aggregate(collection, [{ $match: which }, { $count: 'count' }]);
  return Number(found?.['count'] ?? 0);
}

const BALANCES = { real: 'balance', bonus: 'bonusBalance', locked: 'lockedBalance' } as const;

/** `<currency> <balance type>` to the sum of all wallets. */
export async function sumWallets(read: Read): Promise<ReadonlyMap<string, bigint>> {
  const sumOf = (field: string): Document => ({ $sum: `$${field}` });
  const rows = await read.aggregate('wallets', [
    {
      $group: {
        _id: '$currency',
        real: sumOf(BALANCES.real),
        bonus: sumOf(BALANCES.bonus),
        locked: sumOf(BALANCES.locked),
      },
    },
  ]);
  const sums = new Map<string, bigint>();
  for (const row of rows) {
    for (const type of Object.keys(BALANCES)) {
      addTo(sums, `${String(row['_id'])} ${type}`, integer(row[type]));
    }
  }
  return sums;
}

/** The same of all entries. */
export async function sumEntries(read: Read): Promise<ReadonlyMap<string, bigint>> {
  const rows = await read.aggregate('transactions', [
    {
      $group: {
        _id: { currency: '$currency', type: '$balanceType', direction: '$direction' },
        amount: { $sum: '$amount' },
      },
    },
  ]);
  const sums = new Map<string, bigint>();
  for (const { _id, amount } of rows) {
    const { currency, type, direction } = _id as Readonly<Record<string, string>>;
    const value = integer(amount);
    addTo(sums, `${currency ?? ''} ${type ?? ''}`, direction === 'credit' ? value : -value);
  }
  return sums;
}

/** Users who have spent what they did not have. */
export async function findOverspent(read: Read): Promise<readonly string[]> {
  const available = { $add: [{ $subtract: ['$balance', '$lockedBalance'] }, '$overdraftLimit'] };
  const rows = await read.aggregate('wallets', [
    { $match: { userId: { $not: /^sys:/ }, $expr: { $lt: [available, 0] } } },
  ]);
  return rows.map(
    ({ userId, balance, lockedBalance }) =>
      `${String(userId)} ${String(balance)} - ${String(lockedBalance)}`,
  );
}

/** @throws RangeError for a sum that is none: what the server added up was not whole. */
function integer(value: unknown): bigint {
  return typeof value === 'bigint' ? value : BigInt(Number(value ?? 0));
}
