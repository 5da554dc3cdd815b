import type { ClientSession, Db, Filter } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { controlDatabaseOf } from '../../infra/control-database.ts';
import type { OperationId, WalletId } from '../../kernel/ids.ts';
import type { EntryDoc, HoldDoc, TransferDoc, UserDoc, WalletDoc } from '../documents.ts';
import { brandDatabase } from '../../tenants/brand-database.ts';
import type { TenantDoc } from '../../tenants/tenant.ts';
import type { StoredRequest } from './rules.ts';

/** A request that settled, with what places it among others. */
export interface SettledRequest extends StoredRequest {
  readonly stamp: bigint | { toBigInt(): bigint };
  readonly completedAt?: Date;
  readonly createdAt: Date;
  readonly requestedRunAt?: Date;
}

export interface RebuildReads {
  /** Ids of tenants that have users, or are set up. */
  tenants(): Promise<readonly string[]>;
  tenant(tenantId: string): Promise<TenantDoc | undefined>;
  users(session: ClientSession, tenantId: string, after: string): Promise<readonly string[]>;
  settings(
    session: ClientSession,
    tenantId: string,
    want: { readonly userIds: readonly string[]; readonly types: readonly string[] },
  ): Promise<readonly SettledRequest[]>;
  /** Batches that set anything of wallets, and ended at or after a time. */
  batches(
    session: ClientSession,
    tenantId: string,
    want: { readonly since: Date; readonly types: readonly string[] },
  ): AsyncIterable<SettledRequest>;
  /** By the user's id and currency. */
  wallets(session: ClientSession, tenantId: string, userIds: object): Promise<readonly WalletDoc[]>;
  wallet(session: ClientSession, id: string): Promise<WalletDoc | undefined>;
  /** Of one wallet behind a `seq`, a page of them. */
  entriesOf(
    session: ClientSession,
    walletId: string,
    afterSeq: number,
  ): Promise<readonly EntryDoc[]>;
  /** Of some wallets from their beginnings on, a page of them, in the order of wallet and `seq`. */
  entriesFrom(session: ClientSession, ids: readonly string[]): Promise<readonly EntryDoc[]>;
  entries(session: ClientSession, ids: readonly string[]): Promise<ReadonlyMap<string, EntryDoc>>;
  /** What came back of a wallet's transfers behind a `seq`. */
  reversals(
    session: ClientSession,
    walletId: string,
    afterSeq: number,
  ): Promise<readonly EntryDoc[]>;
  requests(
    session: ClientSession,
    ids: readonly OperationId[],
  ): Promise<ReadonlyMap<string, SettledRequest>>;
  transfers(
    session: ClientSession,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, TransferDoc>>;
  holds(session: ClientSession, ids: readonly string[]): Promise<ReadonlyMap<string, HoldDoc>>;
  /** Users that own stripes of system wallets, by the log. */
  systemUsers(tenantId: string): Promise<readonly string[]>;
  firstEntries(ids: readonly string[]): Promise<readonly EntryDoc[]>;
}

const REQUEST = {
  ...{ type: 1, input: 1, stamp: 1, completedAt: 1, createdAt: 1, requestedRunAt: 1 },
} as const;
/** Those that a human has called done have done nothing. */
const DONE = { status: 'succeeded', dryRun: { $exists: false }, resolution: { $exists: false } };
const SYSTEM_IDS = { $gte: 'sys:', $lt: 'sys;' } as const;
const SYSTEM_USERS_MAX = 10_000;
const TENANTS_MAX = 100_000;

/** Reads under a snapshot: a page is what the ledger was at one instant. */
export function createRebuildReads(db: Db): RebuildReads {
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const within = (session: ClientSession) => ({
    ...options,
    session,
    readConcern: { level: 'snapshot' as const },
  });
  const users = collection<UserDoc>(db, 'users');
  const wallets = collection<WalletDoc>(db, 'wallets');
  const entries = collection<EntryDoc>(db, 'transactions');
  const operations = collection<SettledRequest & { readonly _id: OperationId }>(db, 'operations');
  const tenants = collection<TenantDoc>(db, 'tenants');
  const page = LEDGER_LIMITS.rebuildEntriesPage;
  const byId = byIdIn(db, within);

  return Object.freeze({
    tenants: () => tenantIds(db),
    tenant: async (tenantId) => (await tenants.findOne({ _id: tenantId }, options)) ?? undefined,
    users: async (session, tenantId, after) => {
      const found = await users
        .find(
          { tenantId, userId: { $gt: after } },
          { ...within(session), projection: { userId: 1 } },
        )
        .sort({ userId: 1 })
        .limit(LEDGER_LIMITS.rebuildUsersPage)
        .toArray();
      return found.map(({ userId }) => userId);
    },
    settings: async (session, tenantId, { userIds, types }) => {
      const whose = { tenantId, 'input.userId': { $in: userIds }, type: { $in: types } };
      const filter = { ...whose, ...DONE } as Filter<SettledRequest>;
      return operations.find(filter, { ...within(session), projection: REQUEST }).toArray();
    },
    batches: (session, tenantId, { since, types }) => {
      const which = { tenantId, type: 'batch', 'input.operations.type': { $in: types } };
      const filter = { ...which, completedAt: { $gte: since }, ...DONE } as Filter<SettledRequest>;
      return operations.find(filter, { ...within(session), projection: REQUEST }).batchSize(50);
    },
    wallets: async (session, tenantId, userId) =>
      wallets.find({ tenantId, userId } as Filter<WalletDoc>, within(session)).toArray(),
    wallet: async (session, id) =>
      (await wallets.findOne({ _id: id as WalletId }, within(session))) ?? undefined,
    entriesOf: async (session, walletId, afterSeq) =>
      entries
        .find({ walletId: walletId as WalletId, seq: { $gt: afterSeq } }, within(session))
        .sort({ seq: 1 })
        .limit(page)
        .toArray(),
    entriesFrom: async (session, ids) =>
      entries
        .find({ walletId: { $in: ids as WalletId[] } }, within(session))
        .sort({ walletId: 1, seq: 1 })
        .limit(page)
        .toArray(),
    entries: (session, ids) => byId<EntryDoc>('transactions', session, ids),
    reversals: async (session, walletId, afterSeq) =>
      entries
        .find(
          {
            ...{ walletId: walletId as WalletId, seq: { $gt: afterSeq } },
            ...{ direction: 'credit', transferId: { $exists: true } },
          },
          within(session),
        )
        .toArray(),
    requests: (session, ids) => byId<SettledRequest>('operations', session, ids),
    transfers: (session, ids) => byId<TransferDoc>('transfers', session, ids),
    holds: (session, ids) => byId<HoldDoc>('holds', session, ids),
    systemUsers: (tenantId) =>
      skipThrough(SYSTEM_USERS_MAX, SYSTEM_IDS.$gte, async (after) => {
        const userId = { $gt: after, $lt: SYSTEM_IDS.$lt };
        const next = { ...options, projection: { userId: 1 }, sort: { userId: 1 } as const };
        return (await entries.findOne({ tenantId, userId }, next))?.userId;
      }),
    firstEntries: async (ids) => {
      const found: EntryDoc[] = [];
      for (const part of parts(ids)) {
        const first = { walletId: { $in: part as WalletId[] }, seq: 1 };
        found.push(...(await entries.find(first, options).toArray()));
      }
      return found;
    },
  } satisfies RebuildReads);
}

function byIdIn(db: Db, within: (session: ClientSession) => object) {
  return async <T extends { readonly _id: string }>(
    name: 'transactions' | 'operations' | 'transfers' | 'holds',
    session: ClientSession,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, T>> => {
    const found = new Map<string, T>();
    for (const part of parts([...new Set(ids)])) {
      const filter: object = { _id: { $in: part } };
      const cursor = collection<T>(db, name).find<T>(filter, within(session));
      for (const doc of await cursor.toArray()) found.set(doc._id, doc);
    }
    return found;
  };
}

async function tenantIds(db: Db): Promise<readonly string[]> {
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const users = collection<UserDoc>(db, 'users');
  const { databaseName } = controlDatabaseOf(db);
  const isHere = (id: string): boolean =>
    databaseName === db.databaseName || brandDatabase(databaseName, id) === db.databaseName;
  const found = await collection<TenantDoc>(db, 'tenants')
    .find({}, { ...options, projection: { _id: 1 } })
    .sort({ _id: 1 })
    .limit(TENANTS_MAX)
    .toArray();
  const withUsers = await skipThrough(TENANTS_MAX, '', async (after) => {
    const next = { ...options, projection: { tenantId: 1 }, sort: { tenantId: 1 } as const };
    return (await users.findOne({ tenantId: { $gt: after } }, next))?.tenantId;
  });
  return [...new Set([...found.map(({ _id }) => _id).filter(isHere), ...withUsers])].sort();
}

/** Every value that an index has, each by one look. */
async function skipThrough(
  max: number,
  from: string,
  next: (after: string) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after: string | undefined = from; found.length < max;) {
    after = await next(after);
    if (after === undefined) break;
    found.push(after);
  }
  return found;
}

function* parts(ids: readonly string[]): Iterable<string[]> {
  for (let from = 0; from < ids.length; from += LEDGER_LIMITS.idsPage) {
    yield ids.slice(from, from + LEDGER_LIMITS.idsPage);
  }
}
