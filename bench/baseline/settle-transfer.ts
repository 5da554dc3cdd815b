import type { Db, MongoClient } from 'mongodb';
import { collection } from '../../core/infra/collections.ts';
import { TRANSACTION } from '../../core/infra/mongo.ts';
import { assert, present } from '../../core/kernel/assert.ts';
import type { EntryDoc, TransferDoc, WalletDoc } from '../../core/ledger/documents.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { bindOperation, decideBatch, batchReads } from '../../core/settlement/decide.ts';
import type { OperationId } from '../../core/kernel/ids.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import { outboxRows } from '../../core/events/outbox-rows.ts';

interface BaselineDeps {
  readonly client: MongoClient;
  readonly db: Db;
  readonly workerId: string;
}

/** Settles one transfer; gives the outbox row to publish, or undefined when it was settled before. */
export type SettleTransfer = (operationId: string) => Promise<OutboxRow | undefined>;

/**
 * What one would write without batching: a transaction per job, by the driver's `withTransaction`,
 * with the bookkeeping of ours: the same documents, made by the same pure decision, in as few
 * statements as one transfer allows (six and the commit). No round trip for the time, and the
 * operation is read by the statement that claims it.
 */
export function createSettleTransfer({ client, db, workerId }: BaselineDeps): SettleTransfer {
  const operations = collection<OperationDoc>(db, 'operations');
  const wallets = collection<WalletDoc>(db, 'wallets');
  const entries = collection<EntryDoc>(db, 'transactions');
  const transfers = collection<TransferDoc>(db, 'transfers');
  const outbox = collection<OutboxRow>(db, 'outbox');

  return async (operationId) =>
    client.withSession(async (session) =>
      session.withTransaction(async () => {
        const at = new Date();
        const settledBy = { worker: workerId, batch: operationId };
        const operation = await operations.findOneAndUpdate(
          { _id: operationId as OperationId, status: 'accepted' },
          {
            $set: { status: 'succeeded', settledBy, completedAt: at, updatedAt: at },
            $unset: { nextCheckAt: 1 },
            $inc: { epoch: 1 },
          },
          { session, returnDocument: 'before' },
        );
        if (operation === null) return undefined;
        const batch = [bindOperation(OPERATIONS, operation)];
        const ids = [...batchReads(batch, 0).wallets] as WalletDoc['_id'][];
        const found = await wallets.find({ _id: { $in: ids } }, { session }).toArray();
        const { book, events, row } = decide(batch, found, at);
        await wallets.bulkWrite(book.wallets, { session, ordered: false });
        await entries.insertMany([...book.entries], { session, ordered: false });
        await transfers.insertOne(book.transfer, { session });
        await outbox.insertOne(row, { session });
        assert(events === 1, 'a transfer is of one tenant');
        return row;
      }, TRANSACTION),
    );
}

function decide(
  batch: readonly ReturnType<typeof bindOperation>[],
  found: readonly WalletDoc[],
  at: Date,
) {
  const none = { users: new Map(), transfers: new Map(), holds: new Map() };
  const decided = decideBatch(batch, {
    loaded: { ...none, wallets: new Map(found.map((wallet) => [wallet._id, wallet])) },
    at,
    stripe: 0,
    onBug: (_operation, error) => {
      throw error;
    },
  });
  const outcome = present(decided.outcomes[0], 'the outcome of a batch of one');
  assert(outcome.status === 'succeeded', 'the bench only pays what can be paid', { ...outcome });
  const changes = decided.book.changes();
  const rows = outboxRows(decided.events, { batch: outcome.operation._id, at });
  return {
    events: rows.length,
    row: present(rows[0], 'the outbox row of a transfer'),
    book: {
      wallets: changes.wallets.map(({ before, after }) => walletUpdate(before, after)),
      entries: changes.entries,
      transfer: present(changes.transfers[0], 'the transfer').after,
    },
  };
}

function walletUpdate(before: WalletDoc | undefined, after: WalletDoc) {
  const { seq } = present(before, 'the wallet that was read');
  const { balance, bonusBalance, lockedBalance, totalCredited, totalDebited, updatedAt } = after;
  const moved = { balance, bonusBalance, lockedBalance, totalCredited, totalDebited, updatedAt };
  return {
    updateOne: {
      filter: { _id: after._id, seq },
      update: { $set: { ...moved, seq: after.seq } },
    },
  };
}
