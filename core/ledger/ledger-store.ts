import type { AnyBulkWriteOperation, ClientSession, Db, MongoClient } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { faultOf } from '../infra/database-errors.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import { assert } from '../kernel/assert.ts';
import { systemClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { BookChanges, Change, LedgerState } from './book.ts';
import {
  type EntryDoc,
  type HoldDoc,
  type TransferDoc,
  type UserDoc,
  type WalletDoc,
  systemUserId,
} from './documents.ts';
import { type HoldId, type TransferId, type WalletId, walletIdOf } from '../kernel/ids.ts';
import { readFurtherStripes } from './system-stripes.ts';
import { writeWallets } from './wallet-writes-store.ts';

/** Ids of what a batch of decisions reads. */
export interface LedgerReads {
  readonly users: ReadonlySet<string>;
  readonly wallets: ReadonlySet<string>;
  /** Users of whom every wallet is needed. */
  readonly owners: readonly { readonly tenantId: string; readonly userId: string }[];
  readonly transfers: ReadonlySet<string>;
  readonly holds: ReadonlySet<string>;
  /** Of the system wallets that work on a hold moves: their currency is known once it is read. */
  readonly stripe: number;
}

/** Wallets whose holds past their time are wanted. */
export interface LapsedReads {
  readonly wallets: readonly Pick<WalletDoc, 'tenantId' | 'userId' | 'currency'>[];
  readonly until: Date;
  readonly stripe: number;
}

/** The ledger inside one MongoDB transaction. */
export interface LedgerTransaction {
  /** Joins other stores' writes to the transaction. */
  readonly session: ClientSession;
  load(reads: LedgerReads): Promise<LedgerState>;
  /** Open holds that expired until then and are no operation's own, with what giving back moves. */
  loadLapsed(reads: LapsedReads): Promise<LedgerState>;
  /**
   * Bulk-writes what a batch of decisions changed, each wallet by compare-and-set on its `seq`.
   *
   * @throws InvariantError when a document is not the one that was read (never expected inside a
   * snapshot: the transaction aborts); the driver's error for conflicts and duplicates.
   */
  write(changes: BookChanges): Promise<void>;
}

export interface LedgerStore {
  /**
   * Runs `work` in one transaction and commits it. A throw aborts it: nothing of it stays. When the
   * outcome of the commit stays unknown after retries the driver's error is thrown, and only a
   * look at the operations tells.
   */
  transact<T>(
    work: (transaction: LedgerTransaction) => Promise<T>,
    beforeCommit?: () => Promise<void> | void,
  ): Promise<T>;
}

const COMMIT_TRIES_MAX = 3;

/** Told of the wallets that a transaction has changed, once it is committed. Must not throw. */
export type OnCommitted = (wallets: readonly WalletDoc[]) => void;

/** Every transaction of the ledger, whoever runs it, tells `onCommitted`: nobody can forget to. */
export function createLedgerStore(
  client: MongoClient,
  db: Db,
  onCommitted?: OnCommitted,
): LedgerStore {
  const reader = createReader(db);
  const writer = createWriter(db);
  return Object.freeze({
    transact: async <T>(
      work: (transaction: LedgerTransaction) => Promise<T>,
      beforeCommit?: () => Promise<void> | void,
    ): Promise<T> => {
      const session = client.startSession();
      const startedMs = systemClock.monotonicMs();
      const changed = new Map<WalletId, WalletDoc>();
      try {
        session.startTransaction(TRANSACTION);
        const result = await work({
          session,
          load: (reads) => reader(session, reads),
          loadLapsed: async ({ stripe, ...reads }) =>
            reader(session, { ...NO_READS, holds: await findLapsed(db, session, reads), stripe }),
          write: (changes) => {
            for (const { after } of changes.wallets) changed.set(after._id, after);
            return writer(session, changes);
          },
        });
        await beforeCommit?.();
        refuseLate(systemClock.monotonicMs() - startedMs);
        await commit(session);
        onCommitted?.([...changed.values()]);
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        throw error;
      } finally {
        await session.endSession().catch(() => undefined);
      }
    },
  });
}

/** Lists by time do not wait for it any longer. */
function refuseLate(ms: number): void {
  if (ms <= LIMITS.transactionMsMax) return;
  throw new AppError('ledger_unavailable', 'The transaction took too long; nothing was stored');
}

async function commit(session: ClientSession): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      // Committing again is safe: the server answers for the transaction that it knows.
      if (faultOf(error) !== 'commit-unknown' || tries >= COMMIT_TRIES_MAX) throw error;
    }
  }
}

const NO_READS = {
  users: new Set<string>(),
  wallets: new Set<string>(),
  owners: [],
  transfers: new Set<string>(),
} as const satisfies Partial<LedgerReads>;

async function findLapsed(
  db: Db,
  session: ClientSession,
  { wallets, until }: Omit<LapsedReads, 'stripe'>,
): Promise<ReadonlySet<string>> {
  const found = await collection<HoldDoc>(db, 'holds')
    .find(
      {
        $or: wallets.map(({ tenantId, userId, currency }) => ({
          ...{ tenantId, userId, currency, status: 'open' as const },
          expiresAt: { $lte: until },
        })),
        managedBy: { $exists: false },
      },
      { session, maxTimeMS: LIMITS.mongoMaxTimeMs, projection: { _id: 1 } },
    )
    .sort({ expiresAt: 1 })
    .limit(LIMITS.lapsedHoldsMax)
    .toArray();
  return new Set(found.map(({ _id }) => _id));
}

/** Where held funds are booked against, and where captured ones go. */
const HOLD_SYSTEMS = ['clearing', 'world'] as const;

type Reader = (session: ClientSession, reads: LedgerReads) => Promise<LedgerState>;

function createReader(db: Db): Reader {
  const users = collection<UserDoc>(db, 'users');
  const wallets = collection<WalletDoc>(db, 'wallets');
  const transfers = collection<TransferDoc>(db, 'transfers');
  const holds = collection<HoldDoc>(db, 'holds');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };

  return async (session, reads) => {
    const inSession = { ...options, session };
    // One after another: a session carries one command at a time.
    const foundTransfers =
      reads.transfers.size === 0
        ? []
        : await transfers
            .find({ _id: { $in: [...reads.transfers] as TransferId[] } }, inSession)
            .toArray();
    const foundHolds =
      reads.holds.size === 0
        ? []
        : await holds.find({ _id: { $in: [...reads.holds] as HoldId[] } }, inSession).toArray();
    const walletIds = new Set(reads.wallets);
    for (const { tenantId, fromUserId, toUserId, currency } of foundTransfers) {
      walletIds.add(walletIdOf(tenantId, fromUserId, currency));
      walletIds.add(walletIdOf(tenantId, toUserId, currency));
    }
    for (const { tenantId, userId, currency } of foundHolds) {
      walletIds.add(walletIdOf(tenantId, userId, currency));
      for (const name of HOLD_SYSTEMS) {
        walletIds.add(walletIdOf(tenantId, systemUserId(name, reads.stripe), currency));
      }
    }
    const foundWallets =
      walletIds.size === 0
        ? []
        : await wallets
            .find({ _id: { $in: [...walletIds] as WalletId[] } }, inSession)
            .batchSize(walletIds.size + 1) // all in one answer
            .toArray();
    if (reads.owners.length > 0) {
      const filter = { $or: reads.owners.map(({ tenantId, userId }) => ({ tenantId, userId })) };
      foundWallets.push(...(await wallets.find(filter, inSession).toArray()));
    }
    const further = await readFurtherStripes(foundWallets, (ids) =>
      wallets.find({ _id: { $in: [...ids] } }, inSession).toArray(),
    );
    foundWallets.push(...further);
    const foundUsers =
      reads.users.size === 0
        ? []
        : await users.find({ _id: { $in: [...reads.users] } }, inSession).toArray();
    return {
      users: byId(foundUsers),
      wallets: byId(foundWallets),
      transfers: byId(foundTransfers),
      holds: byId(foundHolds),
    };
  };
}

function byId<T extends { readonly _id: string }>(docs: readonly T[]): ReadonlyMap<string, T> {
  return new Map(docs.map((doc) => [doc._id, doc]));
}

function createWriter(db: Db): (session: ClientSession, changes: BookChanges) => Promise<void> {
  const users = collection<UserDoc>(db, 'users');
  const wallets = collection<WalletDoc>(db, 'wallets');
  const entries = collection<EntryDoc>(db, 'transactions');
  const transfers = collection<TransferDoc>(db, 'transfers');
  const holds = collection<HoldDoc>(db, 'holds');

  return async (session, changes) => {
    await writeWallets(wallets, changes.wallets, session);
    if (changes.entries.length > 0) {
      await entries.insertMany([...changes.entries], { session, ordered: true });
    }
    if (changes.transfers.length > 0) {
      const writes = newFirst(changes.transfers).map(transferWrite);
      const result = await transfers.bulkWrite(writes, { session, ordered: true });
      assertWritten(result, changes.transfers, 'transfers');
    }
    if (changes.holds.length > 0) {
      const writes = newFirst(changes.holds).map(holdWrite);
      const result = await holds.bulkWrite(writes, { session, ordered: true });
      assertWritten(result, changes.holds, 'holds');
    }
    if (changes.users.length > 0) {
      const writes = newFirst(changes.users).map(userWrite);
      const result = await users.bulkWrite(writes, { session, ordered: true });
      assertWritten(result, changes.users, 'users');
    }
  };
}

/**
 * New documents first: two commands at most. In order, so that the first failure is the one that
 * is reported: what follows it in a transaction can only say that the transaction is gone, which
 * would make a duplicate key look like a passing conflict.
 */
function newFirst<T>(changes: readonly Change<T>[]): readonly Change<T>[] {
  return [
    ...changes.filter(({ before }) => before === undefined),
    ...changes.filter(({ before }) => before !== undefined),
  ];
}

function transferWrite({ before, after }: Change<TransferDoc>): AnyBulkWriteOperation<TransferDoc> {
  if (before === undefined) return { insertOne: { document: after } };
  const filter = { _id: after._id, reversedAmount: before.reversedAmount };
  return { replaceOne: { filter, replacement: after } };
}

function holdWrite({ before, after }: Change<HoldDoc>): AnyBulkWriteOperation<HoldDoc> {
  if (before === undefined) return { insertOne: { document: after } };
  const filter = { _id: after._id, status: before.status, captured: before.captured };
  return { replaceOne: { filter, replacement: after } };
}

function userWrite({ before, after }: Change<UserDoc>): AnyBulkWriteOperation<UserDoc> {
  if (before === undefined) return { insertOne: { document: after } };
  return { replaceOne: { filter: { _id: after._id }, replacement: after } };
}

function assertWritten(
  result: { readonly matchedCount: number; readonly insertedCount: number },
  changes: readonly Change<unknown>[],
  what: string,
): void {
  const inserted = changes.filter(({ before }) => before === undefined).length;
  assert(result.insertedCount === inserted, `every new document of ${what} is inserted`);
  assert(
    result.matchedCount === changes.length - inserted,
    `every changed document of ${what} is the one that was read`,
  );
}
