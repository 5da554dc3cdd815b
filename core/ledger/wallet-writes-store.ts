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
 * One statement for each, by `_id` alone: the server then looks the wallet up without planning a
 * query, which is three times cheaper than with any other condition beside it. The compare-and-set is
 * in what goes with it: a moved wallet has entries from `seq + 1` on, which are unique per wallet, and
 * a wallet that was written since this transaction's snapshot is a write conflict (decision 31).
 */
async function moveWallets(
  wallets: Collection<WalletDoc>,
  changes: readonly Change<WalletDoc>[],
  session: ClientSession,
): Promise<void> {
  const writes = changes.map(({ before, after }) => ({
    updateOne: {
      filter: { _id: after._id },
      update: { $set: changedFields(present(before, 'a wallet that was read'), after) },
    },
  }));
  const result = await wallets.bulkWrite(writes, { session, ordered: true });
  assert(result.matchedCount === changes.length, 'every moved wallet is there');
}

/** Fewer fields are fewer bytes to parse, to write and to replicate. */
function changedFields(before: WalletDoc, after: WalletDoc): Partial<WalletDoc> {
  const fields = Object.entries(fieldsOf(after));
  return Object.fromEntries(
    fields.filter(([name, value]) => before[name as keyof WalletDoc] !== value),
  );
}
