import type { ClientSession, Collection } from 'mongodb';
import { assert, present } from '../kernel/assert.ts';
import type { Change } from './book.ts';
import type { WalletDoc } from './documents.ts';

/** What a batch changed of wallets, each by compare-and-set on the `seq` that was read. */
export async function writeWallets(
  wallets: Collection<WalletDoc>,
  changes: readonly Change<WalletDoc>[],
  session: ClientSession,
): Promise<void> {
  const opened = changes.filter(({ before }) => before === undefined);
  const changed = changes.filter(({ before }) => before !== undefined);
  if (opened.length > 0) {
    await wallets.insertMany(
      opened.map(({ after }) => after),
      { session, ordered: true },
    );
  }
  const moved = changed.filter(({ before, after }) => before?.seq !== after.seq);
  if (moved.length > 0) await moveWallets(wallets, moved, session);
  const settings = changed.filter(({ before, after }) => before?.seq === after.seq);
  if (settings.length > 0) {
    const result = await wallets.bulkWrite(
      settings.map(({ after }) => ({
        updateOne: {
          filter: { _id: after._id, seq: after.seq },
          update: { $set: fieldsOf(after) },
        },
      })),
      { session, ordered: true },
    );
    assert(
      result.matchedCount === settings.length,
      'every changed wallet is the one that was read',
    );
  }
}

/** The fields that may change after a wallet was opened. */
function fieldsOf(after: WalletDoc) {
  return {
    balance: after.balance,
    bonusBalance: after.bonusBalance,
    lockedBalance: after.lockedBalance,
    overdraftLimit: after.overdraftLimit,
    status: after.status,
    ownerBlocked: after.ownerBlocked,
    seq: after.seq,
    totalCredited: after.totalCredited,
    totalDebited: after.totalDebited,
    updatedAt: after.updatedAt,
  };
}

/**
 * One statement for all: a statement per wallet is what settlement would otherwise spend most of the
 * server's time on (docs/PERFORMANCE.md). Each document finds its place in the list of ids, which
 * the server turns into a hash table because it is a constant. One whose `seq` is not the one that
 * was read is left as it is, and thus missing from the count.
 */
async function moveWallets(
  wallets: Collection<WalletDoc>,
  changes: readonly Change<WalletDoc>[],
  session: ClientSession,
): Promise<void> {
  const ids = changes.map(({ after }) => after._id);
  const seqs = changes.map(({ before }) => present(before, 'a wallet that was read').seq);
  const fields = changes.map(({ after }) => fieldsOf(after));
  const at = (list: readonly unknown[]) => ({ $arrayElemAt: [{ $literal: list }, '$$place'] });
  const write = {
    $let: {
      vars: { place: { $indexOfArray: [{ $literal: ids }, '$_id'] } },
      in: {
        $cond: [{ $eq: ['$seq', at(seqs)] }, { $mergeObjects: ['$$ROOT', at(fields)] }, '$$ROOT'],
      },
    },
  };
  const filter = { _id: { $in: ids } };
  const result = await wallets.updateMany(filter, [{ $replaceWith: write }], { session });
  assert(result.modifiedCount === ids.length, 'every moved wallet is the one that was read');
}
