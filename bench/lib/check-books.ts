import type { Document } from 'mongodb';
import type { Arena } from './arena.ts';

/** What a measurement must leave behind; a bench that loses or makes up money fails. */
export async function checkBooks(arena: Arena, expected: number): Promise<void> {
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
    events: events['count'],
    'failed jobs': failed,
  };
  const wanted: typeof found = {
    operations: expected,
    succeeded: expected,
    entries: 2 * expected,
    'sum of entries': 0,
    transfers: expected,
    'sum of balances': 0,
    'entries counted by wallets': 2 * expected,
    events: 2 * expected,
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
