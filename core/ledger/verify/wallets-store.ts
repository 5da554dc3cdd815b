import type { ClientSession } from 'mongodb';
import { collection } from '../../infra/collections.ts';
import { walletIdOf } from '../../kernel/ids.ts';
import { type EntryDoc, type HoldDoc, type WalletDoc, isSystemUser } from '../documents.ts';
import { type Walk, justAfter, readsIn, rowsPerPage } from './walk-store.ts';
import { type WalletFold, checkWallet, createWalletFold } from './verify.ts';

export interface WalletCursor {
  /** Wallets from this id on; ids below it are done. */
  readonly from: string;
  /** The wallet `from`, of whose entries the earlier pages have seen a part. */
  readonly fold?: WalletFold;
}

/** What a page needs, all as of one instant. */
interface WalletRows {
  /** Those whose entries are complete, with what earlier pages saw. */
  readonly wallets: readonly WalletDoc[];
  readonly entries: readonly EntryDoc[];
  readonly claims: ReadonlyMap<string, bigint>;
  /** The wallet whose entries go on in the next page. */
  readonly cutAt: string | undefined;
  readonly next: string | undefined;
}

/** Holds a range of wallets against their entries and open holds. */
export async function checkWalletPage(
  walk: Walk,
  session: ClientSession,
  cursor: WalletCursor,
): Promise<WalletCursor | undefined> {
  const { findings } = walk;
  const { wallets, entries, claims, cutAt, next } = await readRows(walk, session, cursor);
  const { foldOf, take, left } = createFolds(cursor.fold);
  for (const entry of entries) foldOf(entry.walletId).add(entry, findings);
  for (const wallet of wallets) {
    const claimed = claims.get(wallet._id) ?? 0n;
    checkWallet(wallet, take(wallet._id), { claimed, findings });
  }
  const cut = cutAt === undefined ? undefined : { from: cutAt, fold: take(cutAt) };
  for (const id of left()) {
    findings.add('wallet.missing', id, 'it has entries, and there is no such wallet');
  }
  countWallets(walk, wallets.length);
  return cut ?? (next === undefined ? undefined : { from: next });
}

/** The folds of one page; `carried` is what earlier pages saw of its first wallet. */
function createFolds(carried: WalletFold | undefined) {
  const folds = new Map(carried === undefined ? [] : [[carried.walletId, carried]]);
  const foldOf = (walletId: string): WalletFold => {
    const fold = folds.get(walletId) ?? createWalletFold(walletId);
    folds.set(walletId, fold);
    return fold;
  };
  const take = (walletId: string): WalletFold => {
    const fold = foldOf(walletId);
    folds.delete(walletId);
    return fold;
  };
  return { foldOf, take, left: () => folds.keys() };
}

function countWallets(walk: Walk, count: number): void {
  walk.counts.wallets += count;
  walk.options.onProgress?.('wallets', walk.counts.wallets);
}

async function readRows(
  walk: Walk,
  session: ClientSession,
  cursor: WalletCursor,
): Promise<WalletRows> {
  const limit = rowsPerPage(walk);
  const page = await collection<WalletDoc>(walk.db, 'wallets')
    .find({ _id: { $gte: cursor.from as WalletDoc['_id'] } }, readsIn(session))
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  const last = page.length < limit ? undefined : page.at(-1)?._id;
  const entries = await readEntries(walk, session, { cursor, last });
  const cutAt = entries.length < walk.pageSize ? undefined : entries.at(-1)?.walletId;
  const wallets = page.filter(({ _id }) => cutAt === undefined || _id < cutAt);
  const claims = await readClaims(walk, session, wallets);
  return { wallets, entries, claims, cutAt, next: last && justAfter(last) };
}

/** The entries of the page's wallets in order, at most a page of them. */
async function readEntries(
  walk: Walk,
  session: ClientSession,
  page: { readonly cursor: WalletCursor; readonly last: string | undefined },
): Promise<readonly EntryDoc[]> {
  const { from, fold } = page.cursor;
  const read = (filter: object, limit: number): Promise<EntryDoc[]> =>
    collection<EntryDoc>(walk.db, 'transactions')
      .find(filter, readsIn(session))
      .sort({ walletId: 1, seq: 1 })
      .limit(limit)
      .toArray();
  const rest =
    fold === undefined ? [] : await read({ walletId: from, seq: { $gt: fold.seq } }, walk.pageSize);
  if (rest.length === walk.pageSize) return rest;
  const range = {
    ...(fold === undefined ? { $gte: from } : { $gt: from }),
    ...(page.last !== undefined && { $lte: page.last }),
  };
  return [...rest, ...(await read({ walletId: range }, walk.pageSize - rest.length))];
}

/** What the open holds of these wallets still claim, by wallet. */
async function readClaims(
  walk: Walk,
  session: ClientSession,
  wallets: readonly WalletDoc[],
): Promise<ReadonlyMap<string, bigint>> {
  const users = new Map<string, Set<string>>();
  for (const { tenantId, userId } of wallets) {
    if (isSystemUser(userId)) continue;
    users.set(tenantId, (users.get(tenantId) ?? new Set()).add(userId));
  }
  const claims = new Map<string, bigint>();
  for (const [tenantId, userIds] of users) {
    const open = collection<HoldDoc>(walk.db, 'holds').find(
      { tenantId, userId: { $in: [...userIds] }, status: 'open' },
      readsIn(session),
    );
    for await (const hold of open) {
      const id = walletIdOf(hold.tenantId, hold.userId, hold.currency);
      const left = hold.amount - hold.captured - hold.released;
      claims.set(id, (claims.get(id) ?? 0n) + left);
    }
  }
  return claims;
}
