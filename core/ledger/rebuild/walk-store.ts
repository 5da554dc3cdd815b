import type { ClientSession, Db } from 'mongodb';
import { walletIdOf } from '../../kernel/ids.ts';
import { type WalletDoc, isSystemUser } from '../documents.ts';
import { type BatchSettings, createBatchSettings, placed } from './batch-settings-store.ts';
import { type RebuildReads, createRebuildReads } from './reads-store.ts';
import type { RebuildRules } from './rules.ts';
import { type PlacedSetting, walletsAsSet } from './settings.ts';
import { rebuildStripe, systemStripes } from './system-wallets-store.ts';
import { type Page, rebuildWallets } from './users-page-store.ts';
import { decidedAtOf } from './wallet-history.ts';

/** Behind which user of a tenant, or behind which of its system wallets, a walk goes on. */
export interface RebuildCursor {
  readonly tenantId: string;
  readonly afterUser: string;
  /** Set: its users are done. */
  readonly afterStripe?: string;
  /** Those that its users' wallets have so far. */
  readonly currencies: readonly string[];
}

/** A part of the ledger that is computed under one snapshot, anew as often as it is asked for. */
export interface Unit {
  compute(): Promise<Page>;
  readonly users: number;
  /** Where the walk goes on once this is done. */
  readonly next: RebuildCursor;
}

export interface WalkDeps {
  readonly db: Db;
  readonly rules: RebuildRules;
  readonly signal?: AbortSignal;
}

interface Deps extends WalkDeps {
  readonly reads: RebuildReads;
}

export interface Span {
  readonly tenantId?: string;
  readonly from?: RebuildCursor;
}

/** All of the ledger, or one tenant's, from its beginning or from a cursor on. */
export async function* rebuildUnits(walk: WalkDeps, { tenantId, from }: Span): AsyncIterable<Unit> {
  const deps = { ...walk, reads: createRebuildReads(walk.db) };
  const tenants = tenantId === undefined ? await deps.reads.tenants() : [tenantId];
  for (const tenant of tenants) {
    if (from !== undefined && tenant < from.tenantId) continue;
    const start = { tenantId: tenant, afterUser: '', currencies: [] };
    yield* unitsOf(deps, tenant === from?.tenantId ? from : start);
  }
}

async function* unitsOf(deps: Deps, start: RebuildCursor): AsyncIterable<Unit> {
  const { tenantId } = start;
  const currencies = new Set(start.currencies);
  const batches = createBatchSettings(deps, tenantId);
  let cursor = start;
  while (cursor.afterStripe === undefined) {
    const { afterUser } = cursor;
    const userIds = await inSnapshot(deps.db, (session) =>
      deps.reads.users(session, tenantId, afterUser),
    );
    const last = userIds.at(-1);
    if (last === undefined) break;
    const page = { tenantId, userIds };
    const compute = async () => {
      const computed = await computeUsers(deps, batches, page);
      for (const currency of computed.currencies) currencies.add(currency);
      return computed.page;
    };
    const next = {
      ...{ tenantId, afterUser: last },
      get currencies() {
        return [...currencies];
      },
    };
    yield { compute, users: userIds.length, next };
    cursor = next;
  }
  yield* stripesOf(deps, { ...cursor, currencies: [...currencies] });
}

async function* stripesOf(deps: Deps, cursor: RebuildCursor): AsyncIterable<Unit> {
  const { tenantId, afterStripe = '' } = cursor;
  const stripes = await systemStripes(deps, tenantId, new Set(cursor.currencies));
  for (const [id, stripe] of [...stripes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (id <= afterStripe) continue;
    yield {
      compute: () => rebuildStripe(deps, { tenantId, id, stripe }),
      users: 0,
      next: { ...cursor, afterStripe: id },
    };
  }
}

interface Users {
  readonly tenantId: string;
  readonly userIds: readonly string[];
  /** Only this wallet of theirs. */
  readonly walletId?: string;
}

async function computeUsers(
  deps: Deps,
  batches: BatchSettings,
  { tenantId, userIds, walletId }: Users,
): Promise<{ readonly page: Page; readonly currencies: Iterable<string> }> {
  const isWanted = (id: string): boolean => walletId === undefined || id === walletId;
  return inSnapshot(deps.db, async (session) => {
    const settings = await settingsOf(deps, session, { batches, tenantId, userIds });
    const asSet = new Map<string, WalletDoc>();
    for (const list of settings.values()) {
      for (const wallet of walletsAsSet(tenantId, list).values()) asSet.set(wallet._id, wallet);
    }
    const found = await deps.reads.wallets(session, tenantId, { $in: userIds });
    const stored = new Map(found.map((wallet) => [wallet._id as string, wallet]));
    const currencies = new Set([...asSet.values(), ...found].map(({ currency }) => currency));
    const page = await rebuildWallets(
      { ...deps, session },
      {
        asSet: new Map([...asSet].filter(([id]) => isWanted(id))),
        stored: new Map([...stored].filter(([id]) => isWanted(id))),
      },
    );
    return { page, currencies };
  });
}

/** Of each user, what operations of their own and batches have set. */
async function settingsOf(
  { reads, rules }: Deps,
  session: ClientSession,
  page: Users & { readonly batches: BatchSettings },
): Promise<ReadonlyMap<string, readonly PlacedSetting[]>> {
  const { tenantId, userIds, batches } = page;
  const types = rules.settingTypes;
  const requests = await reads.settings(session, tenantId, { userIds, types });
  // One that wanted money has entries, which bear the time of its decision.
  const first = await reads.entries(
    session,
    requests.map(({ _id }) => `${_id}.1`),
  );
  const byUser = new Map<string, PlacedSetting[]>();
  const add = (one: PlacedSetting): void => {
    const list = byUser.get(one.setting.userId);
    if (list === undefined) byUser.set(one.setting.userId, [one]);
    else list.push(one);
  };
  for (const request of requests) {
    const entry = first.get(`${request._id}.1`);
    const ended = request.completedAt ?? request.createdAt;
    const at = entry === undefined ? ended : decidedAtOf(entry);
    for (const [index, setting] of rules.settingsOf(request).entries()) {
      add(placed(request, { setting, at, index }));
    }
  }
  for (const one of await batches.of(session, userIds)) add(one);
  return byUser;
}

/** One wallet with the holds and transfers on it; undefined: neither it nor an entry of it is there. */
export async function rebuildUnitOf(walk: WalkDeps, walletId: string): Promise<Unit | undefined> {
  const deps = { ...walk, reads: createRebuildReads(walk.db) };
  const { reads, db } = deps;
  const stored = await inSnapshot(db, (session) => reads.wallet(session, walletId));
  const [first] = await reads.firstEntries([walletId]);
  const owner = first ?? stored;
  if (owner === undefined) return undefined;
  const { tenantId, userId, currency } = owner;
  if (walletIdOf(tenantId, userId, currency) !== walletId) return undefined;
  const next = { tenantId, afterUser: userId, currencies: [] };
  const stripe = { userId, currency, ...(first !== undefined && { first }) };
  const batches = createBatchSettings(deps, tenantId);
  const compute = async (): Promise<Page> =>
    isSystemUser(userId)
      ? rebuildStripe(deps, { tenantId, id: walletId, stripe })
      : (await computeUsers(deps, batches, { tenantId, userIds: [userId], walletId })).page;
  return { compute, users: 1, next };
}

async function inSnapshot<T>(db: Db, read: (session: ClientSession) => Promise<T>): Promise<T> {
  const session = db.client.startSession({ snapshot: true });
  try {
    return await read(session);
  } finally {
    await session.endSession();
  }
}
