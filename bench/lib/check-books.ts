import type { Document } from 'mongodb';
import type { Arena } from './arena.ts';

/** How much of each there must be. */
export interface Books {
  readonly operations: number;
  readonly entries: number;
  readonly transfers: number;
  /** In the outbox, where nobody takes them out. */
  readonly events?: number | undefined;
}

/** Of so many transfers. */
export function booksOfTransfers(count: number): Books {
  return { operations: count, entries: 2 * count, transfers: count, events: 2 * count };
}

/** What a measurement must leave behind; a bench that loses or makes up money fails. */
export async function checkBooks(arena: Arena, expected: Books): Promise<void> {
  const { db } = arena;
  const one = async (name: string, pipeline: Document[]): Promise<Document> =>
    (await db.collection(name).aggregate(pipeline).toArray())[0] ?? {};
  const [operations, entries, transfers, wallets, events, failed] = await Promise.all([
    db.collection('operations').countDocuments({ status: 'succeeded' }),
    one('transactions', [
      {
        $group: {
          _id: null,
          count: { $sum: 1 },
          sum: {
            $sum: {
              $cond: [{ $eq: ['$direction', 'credit'] }, '$amount', { $multiply: ['$amount', -1] }],
            },
          },
        },
      },
    ]),
    db.collection('transfers').countDocuments({}),
    one('wallets', [
      { $group: { _id: null, balance: { $sum: '$balance' }, seq: { $sum: '$seq' } } },
    ]),
    one('outbox', [{ $group: { _id: null, count: { $sum: { $size: '$events' } } } }]),
    arena.failedJobs(),
  ]);
  const all = await db.collection('operations').countDocuments({});
  const found = {
    operations: all,
    succeeded: operations,
    entries: entries['count'],
    'sum of entries': Number(entries['sum']),
    transfers,
    'sum of balances': Number(wallets['balance']),
    'entries counted by wallets': Number(wallets['seq']),
    events: expected.events === undefined ? undefined : events['count'],
    'failed jobs': failed,
  };
  const wanted: typeof found = {
    operations: expected.operations,
    succeeded: expected.operations,
    entries: expected.entries,
    'sum of entries': 0,
    transfers: expected.transfers,
    'sum of balances': 0,
    'entries counted by wallets': expected.entries,
    events: expected.events,
    'failed jobs': 0,
  };
  const wrong = Object.entries(wanted).filter(
    ([name, value]) => found[name as keyof typeof found] !== value,
  );
  if (wrong.length === 0) return;
  const list = wrong.map(([name, value]) => {
    const have = String(found[name as keyof typeof found]);
    return `${name}: ${have}, not ${String(value)}`;
  });
  throw new Error(`The books do not add up: ${list.join('; ')}`);
}
