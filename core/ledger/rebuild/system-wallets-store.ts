import type { Db } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { walletIdOf } from '../../kernel/ids.ts';
import type { TenantDoc } from '../../tenants/tenant.ts';
import { type EntryDoc, SYSTEM_WALLETS, type WalletDoc, systemUserId } from '../documents.ts';
import { openWallet } from '../wallet.ts';
import type { RebuildReads } from './reads-store.ts';
import { type Page, compareWallet, createPage } from './users-page-store.ts';
import { createWalletHistory, decidedAtOf } from './wallet-history.ts';

const SYSTEM_USERS = { $gte: 'sys:', $lt: 'sys;' } as const;

type Owner = Pick<WalletDoc, 'userId' | 'currency'>;

/** Whose stripe a wallet is, with its first entry, if it has any. */
interface Stripe extends Owner {
  readonly first?: EntryDoc;
}

/**
 * The stripes of a tenant's system wallets: those that are stored, those with entries, and those that
 * setting the tenant up has opened.
 */
export async function systemStripes(
  { db, reads }: { readonly db: Db; readonly reads: RebuildReads },
  tenantId: string,
  currencies: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Stripe>> {
  const stripes = new Map<string, Stripe>();
  const session = db.client.startSession({ snapshot: true });
  try {
    for (const { _id, userId, currency } of await reads.wallets(session, tenantId, SYSTEM_USERS)) {
      stripes.set(_id, { userId, currency });
    }
  } finally {
    await session.endSession();
  }
  const tenant = await reads.tenant(tenantId);
  for (const owner of openedAtStart(tenant)) {
    stripes.set(walletIdOf(tenantId, owner.userId, owner.currency), owner);
  }
  const all = [...new Set([...currencies, ...(tenant?.currencies ?? [])])];
  for (const userId of await reads.systemUsers(tenantId)) {
    const ids = all.map((currency) => walletIdOf(tenantId, userId, currency));
    for (const first of await reads.firstEntries(ids)) {
      stripes.set(first.walletId, { userId, currency: first.currency, first });
    }
  }
  return stripes;
}

function openedAtStart(tenant: TenantDoc | undefined): readonly Owner[] {
  if (tenant?.provisionedBy === undefined || tenant.status !== 'active') return [];
  return SYSTEM_WALLETS.flatMap((name) =>
    tenant.currencies.map((currency) => ({ userId: systemUserId(name, 0), currency })),
  );
}

/** One stripe against its entries, which may be millions: read page by page, ended under one snapshot. */
export async function rebuildStripe(
  {
    db,
    reads,
    signal,
  }: { readonly db: Db; readonly reads: RebuildReads; readonly signal?: AbortSignal },
  {
    tenantId,
    id,
    stripe,
  }: { readonly tenantId: string; readonly id: string; readonly stripe: Stripe },
): Promise<Page> {
  const history = createWalletHistory(id, true);
  const page = createPage();
  for (;;) {
    signal?.throwIfAborted();
    const session = db.client.startSession({ snapshot: true });
    try {
      const entries = await reads.entriesOf(session, id, history.fold.seq);
      for (const entry of entries) history.add(entry);
      if (entries.length >= LEDGER_LIMITS.rebuildEntriesPage) continue;
      const stored = await reads.wallet(session, id);
      const tenant = await reads.tenant(tenantId);
      const asSet = asOpened(tenantId, { stripe, first: history.first, stored, tenant });
      page.tally.entries += history.fold.seq;
      compareWallet(page, history, { asSet, stored });
      return page;
    } finally {
      await session.endSession();
    }
  }
}

interface Known {
  readonly stripe: Stripe;
  readonly first: EntryDoc | undefined;
  readonly stored: WalletDoc | undefined;
  readonly tenant: TenantDoc | undefined;
}

/**
 * A stripe is opened by its first entry, or with its tenant: then at the time of the tenant's record,
 * unless an earlier attempt at that tenant has left it behind, which only the wallet itself knows.
 */
function asOpened(
  tenantId: string,
  { stripe: { userId, currency }, first, stored, tenant }: Known,
): WalletDoc | undefined {
  const isOfStart = openedAtStart(tenant).some(
    (owner) => owner.userId === userId && owner.currency === currency,
  );
  const byEntry = first === undefined ? undefined : decidedAtOf(first);
  const at = isOfStart ? (stored?.createdAt ?? tenant?.createdAt) : byEntry;
  if (at === undefined) return undefined;
  return openWallet({ tenantId, userId, currency, overdraftLimit: 0n, ownerBlocked: false, at });
}
