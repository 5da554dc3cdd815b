import {
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  type Filter,
  type FindOptions,
} from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { type ListReads, createListReads } from '../infra/reads/list-reads.ts';
import { type ListOrder, behindTimeKey, timeSort } from '../kernel/time-order.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import {
  type BalanceType,
  type EntryDoc,
  type HoldDoc,
  type HoldStatus,
  SYSTEM_WALLETS,
  type SystemWallet,
  type TransferDoc,
  type UserDoc,
  type WalletDoc,
  systemUserPrefix,
  userDocId,
} from './documents.ts';
import { type LedgerPoints, createLedgerPoints } from './ledger-points-store.ts';

/** A page by seeking: what comes after `after` in the list's order, at most `limit` of it. */
export interface ListPage {
  readonly after?: string;
  readonly limit: number;
  /** By default the newest first. */
  readonly order?: ListOrder;
  /** From the primary, wherever lists are read otherwise. */
  readonly isPresent?: true;
}

/** A wallet's balances at an instant: the fold of its entries up to and including `seq`. */
export interface BalancesAt {
  readonly seq: number;
  readonly balances: Readonly<Record<BalanceType, bigint>>;
}

/** A system wallet with its stripes added up. */
export interface SystemWalletSum {
  readonly name: SystemWallet;
  readonly currency: string;
  readonly balance: bigint;
  readonly bonusBalance: bigint;
  readonly lockedBalance: bigint;
}

export interface EntryFilter {
  readonly userId?: string;
}

export interface TransferFilter {
  readonly fromUserId?: string;
  readonly toUserId?: string;
  /** On either side. */
  readonly userId?: string;
}

export interface HoldFilter {
  readonly userId?: string;
  readonly status?: HoldStatus;
}

/**
 * What clients ask about one tenant's ledger. Single documents and balances come from the primary;
 * lists, newest first, from a secondary, a moment behind, where the installation says so.
 *
 * Entries, transfers and holds are listed by the time of the transaction that wrote them, whenever
 * their operation was accepted. Oldest first they end where a transaction may still be under way, so
 * that whoever goes on from its last row misses nothing.
 */
export interface LedgerQueries {
  user(userId: string): Promise<UserDoc | undefined>;
  /** By id; `after` is a user's. */
  users(page: ListPage): Promise<readonly UserDoc[]>;
  walletsOf(userId: string): Promise<readonly WalletDoc[]>;
  wallet(id: string): Promise<WalletDoc | undefined>;
  /** `wallet` has to be one of this tenant's. Costs a logarithm of its entries. */
  balancesAt(wallet: WalletDoc, at: Date): Promise<BalancesAt>;
  systemWallets(): Promise<readonly SystemWalletSum[]>;
  /** `after` is a `seq`. */
  entriesOfWallet(walletId: string, page: ListPage): Promise<readonly EntryDoc[]>;
  /** In the order in which they were written. */
  entriesOfOperation(operationId: string, limit: number): Promise<readonly EntryDoc[]>;
  entries(filter: EntryFilter, page: ListPage): Promise<readonly EntryDoc[]>;
  transfer(id: string): Promise<TransferDoc | undefined>;
  transfers(filter: TransferFilter, page: ListPage): Promise<readonly TransferDoc[]>;
  hold(id: string): Promise<HoldDoc | undefined>;
  holds(filter: HoldFilter, page: ListPage): Promise<readonly HoldDoc[]>;
}

const OPTIONS = { maxTimeMS: LIMITS.listMaxTimeMs };
/** Of bonus and locked entries only: see core/infra/collections.ts. */
const BY_BALANCE_TYPE = { walletId: 1, balanceType: 1, seq: -1 } as const;

export interface LedgerQueriesOptions {
  readonly settledWithinMs?: number;
  /** Shared by all tenants of a process: look-ups that come at the same time go together. */
  readonly points?: LedgerPoints;
  readonly lists?: ListReads;
}

export function createLedgerQueries(
  db: Db,
  { tenantId }: TenantScope,
  { settledWithinMs = LIMITS.settledWithinMs, ...options }: LedgerQueriesOptions = {},
): LedgerQueries {
  const { points = createLedgerPoints(db), lists = createListReads() } = options;
  const listed = ({ isPresent }: ListPage): FindOptions => ({
    ...OPTIONS,
    readPreference: lists.preference(isPresent),
  });
  const users = collection<UserDoc>(db, 'users');
  const wallets = collection<WalletDoc>(db, 'wallets');
  const entries = collection<EntryDoc>(db, 'transactions');
  const transfers = collection<TransferDoc>(db, 'transfers');
  const holds = collection<HoldDoc>(db, 'holds');
  const byTime = <T extends TimedDoc>(
    docs: Collection<T>,
    filters: readonly object[],
    page: ListPage,
  ): Promise<readonly T[]> =>
    page.order === 'asc'
      ? oldestFirst({ db, tenantId, settledWithinMs }, { docs, filters }, page)
      : listByTime({ docs, filters }, page, listed(page));

  return Object.freeze({
    user: (userId) => points.users.read({ tenantId, id: userDocId(tenantId, userId) }),
    users: async (page) => {
      const behind = page.after === undefined ? {} : { userId: { $gt: page.after } };
      const found = users.find({ tenantId, ...behind }, listed(page)).sort({ userId: 1 });
      return found.limit(page.limit).toArray();
    },
    walletsOf: async (userId) => (await points.walletsOfUsers.read({ tenantId, id: userId })) ?? [],
    wallet: (id) => points.wallets.read({ tenantId, id }),
    balancesAt: (wallet, at) => balancesAt(entries, wallet, at),
    systemWallets: () => systemWallets(db, wallets, tenantId),
    entriesOfWallet: async (walletId, page) => {
      const { after, limit, order = 'desc' } = page;
      const behind = order === 'asc' ? '$gt' : '$lt';
      const rest = after === undefined ? {} : { seq: { [behind]: Number.parseInt(after, 10) } };
      const filter = { walletId, ...rest } as Filter<EntryDoc>;
      const sort = { seq: order === 'asc' ? 1 : -1 } as const;
      return entries.find(filter, listed(page)).sort(sort).limit(limit).toArray();
    },
    entriesOfOperation: async (operationId, limit) => {
      // "<operationId>.<leg>": everything between "." and the character after it.
      const mine = { _id: { $gte: `${operationId}.`, $lt: `${operationId}/` }, tenantId };
      const found = await entries.find(mine, OPTIONS).sort({ _id: 1 }).limit(limit).toArray();
      return found.sort((a, b) => a.leg - b.leg);
    },
    entries: (filter, page) => byTime(entries, [{ tenantId, ...filter }], page),
    transfer: (id) => points.transfers.read({ tenantId, id }),
    transfers: ({ userId, ...filter }, page) => {
      const sides = userId === undefined ? [{}] : [{ fromUserId: userId }, { toUserId: userId }];
      const all = sides.map((side) => ({ ...side, ...filter, tenantId }));
      return byTime(transfers, all, page);
    },
    hold: (id) => points.holds.read({ tenantId, id }),
    holds: (filter, page) => byTime(holds, [{ tenantId, ...filter }], page),
  } satisfies LedgerQueries);
}

interface TimedDoc extends Document {
  readonly _id: string;
  readonly createdAt: Date;
}

/** Rows that fit one of some filters. */
interface Listed<T extends TimedDoc> {
  readonly docs: Collection<T>;
  readonly filters: readonly object[];
}

/** Each filter and `createdAt, _id` have to be an index, which makes every page cost the same. */
async function listByTime<T extends TimedDoc>(
  { docs, filters }: Listed<T>,
  { after, limit, order = 'desc', until }: ListPage & { readonly until?: Date },
  options: FindOptions,
): Promise<readonly T[]> {
  const ranges = behindTimeKey(after, { order, ...(until !== undefined && { until }) });
  const parts = filters.flatMap((filter) => ranges.map((range) => ({ ...filter, ...range })));
  const [only] = parts;
  const query = (parts.length === 1 ? only : { $or: parts }) as Filter<T>;
  return (await docs.find(query, options).sort(timeSort(order)).limit(limit).toArray()) as T[];
}

interface Horizon {
  readonly db: Db;
  readonly tenantId: string;
  readonly settledWithinMs: number;
}

/**
 * Up to the horizon: a row is stamped inside its transaction, which the server ends within a bound, so
 * that what is older than that, by what the server that is read from has seen, is all there.
 */
async function oldestFirst<T extends TimedDoc>(
  { db, tenantId, settledWithinMs }: Horizon,
  listed: Listed<T>,
  page: ListPage,
): Promise<readonly T[]> {
  const session = db.client.startSession({ causalConsistency: true });
  try {
    const options = { ...OPTIONS, session };
    const [seen] = await collection<Document>(db, 'tenants')
      .aggregate<{ readonly now: Date }>(
        [{ $match: { _id: tenantId } }, { $project: { _id: 0, now: '$$NOW' } }],
        options,
      )
      .toArray();
    const now = seenUntil(session, seen?.now);
    const until = new Date(now.getTime() - settledWithinMs);
    return await listByTime(listed, { ...page, until }, options);
  } finally {
    await session.endSession();
  }
}

/**
 * The time of what a majority had written when the session last read, which may be behind the clock:
 * by as much as a majority is behind, or since nothing is written.
 */
function seenUntil({ operationTime }: ClientSession, now: Date | undefined): Date {
  const written = new Date((operationTime?.t ?? 0) * 1_000);
  return now === undefined || written < now ? written : now;
}

async function balancesAt(
  entries: Collection<EntryDoc>,
  { _id: walletId, seq: lastSeq }: WalletDoc,
  at: Date,
): Promise<BalancesAt> {
  const timesOf = async (seqs: readonly number[]): Promise<ReadonlyMap<number, Date>> => {
    const options = { ...OPTIONS, projection: { _id: 0, seq: 1, createdAt: 1 } };
    const probed = await entries.find({ walletId, seq: { $in: [...seqs] } }, options).toArray();
    return new Map(probed.map(({ seq, createdAt }) => [seq, createdAt]));
  };
  const found = await lastSeqAt(lastSeq, at, timesOf);
  const seq = await beforeAnyLater(entries, walletId, { seq: found, at });
  const balanceOf = async (balanceType: BalanceType): Promise<bigint> => {
    const [entry] = await entries
      .find(
        { walletId, balanceType, seq: { $lte: seq } },
        { ...OPTIONS, ...(balanceType !== 'real' && { hint: BY_BALANCE_TYPE }) },
      )
      .sort({ seq: -1 })
      .limit(1)
      .toArray();
    return entry?.balanceAfter ?? 0n;
  };
  const [real, bonus, locked] = await Promise.all([
    balanceOf('real'),
    balanceOf('bonus'),
    balanceOf('locked'),
  ]);
  return { seq, balances: { real, bonus, locked } };
}

/**
 * The last entry written at or before `at`, by halving, many places at a time: a wallet's entries are
 * numbered without gaps in the order in which they were written.
 */
async function lastSeqAt(
  lastSeq: number,
  at: Date,
  timesOf: (seqs: readonly number[]) => Promise<ReadonlyMap<number, Date>>,
): Promise<number> {
  let atOrBefore = 0;
  let after = lastSeq + 1;
  while (after - atOrBefore > 1) {
    const times = await timesOf(probesBetween(atOrBefore, after));
    for (const [seq, written] of [...times].sort(([a], [b]) => a - b)) {
      if (seq <= atOrBefore || seq >= after) continue;
      if (written <= at) atOrBefore = seq;
      else after = seq;
    }
    if (times.size === 0) return atOrBefore; // a gap: nothing behind it can be trusted
  }
  return atOrBefore;
}

/** Looked at together: a history a hundred times as long takes two looks more. */
const PROBES = 15;
const PROBE_SHARE = 0.0625;

function probesBetween(from: number, to: number): readonly number[] {
  const step = Math.max(1, (to - from) * PROBE_SHARE);
  const places = Array.from({ length: PROBES }, (_, index) => from + Math.ceil((index + 1) * step));
  return [...new Set(places)].filter((seq) => seq < to);
}

/**
 * Entries of older versions may bear a time before that of the entry ahead of them. None of those
 * was there before the one ahead of it, so that a balance ends where the first later time stands.
 * Bisection lands near it: as near as the times are out of order.
 */
async function beforeAnyLater(
  entries: Collection<EntryDoc>,
  walletId: WalletDoc['_id'],
  { seq, at }: { readonly seq: number; readonly at: Date },
): Promise<number> {
  let last = seq;
  for (let looks = 0; looks < LOOKS_BACK_MAX && last > 0; looks += 1) {
    const near = { $lte: last, $gt: last - LOOK_BACK };
    const [later] = await entries
      .find({ walletId, seq: near, createdAt: { $gt: at } }, OPTIONS)
      .sort({ seq: 1 })
      .limit(1)
      .toArray();
    if (later === undefined) return last;
    last = later.seq - 1;
  }
  return last;
}

const LOOK_BACK = 1_000;
const LOOKS_BACK_MAX = 100;

const SNAPSHOT = { level: 'snapshot' } as const;
/** Every stripe, those that took over from full ones too: the ids of all begin with these four. */
const SYSTEM_IDS = { $gte: 'sys:', $lt: 'sys;' } as const;

/** Of one snapshot: while money moves between stripes the sums are those of one instant. */
async function systemWallets(
  db: Db,
  wallets: Collection<WalletDoc>,
  tenantId: string,
): Promise<readonly SystemWalletSum[]> {
  const session = db.client.startSession({ snapshot: true });
  try {
    const filter = { tenantId, userId: SYSTEM_IDS };
    // Said again: the client asks for majority reads otherwise.
    const options = { ...OPTIONS, session, readConcern: SNAPSHOT };
    return sumsOf(await wallets.find(filter, options).toArray());
  } finally {
    await session.endSession();
  }
}

function sumsOf(stripes: readonly WalletDoc[]): readonly SystemWalletSum[] {
  const sums = new Map<string, SystemWalletSum>();
  for (const wallet of stripes) {
    const name = SYSTEM_WALLETS.find((one) => wallet.userId.startsWith(systemUserPrefix(one)));
    if (name === undefined) continue;
    const key = `${name}/${wallet.currency}`;
    const sum = sums.get(key);
    sums.set(key, {
      name,
      currency: wallet.currency,
      balance: (sum?.balance ?? 0n) + wallet.balance,
      bonusBalance: (sum?.bonusBalance ?? 0n) + wallet.bonusBalance,
      lockedBalance: (sum?.lockedBalance ?? 0n) + wallet.lockedBalance,
    });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
