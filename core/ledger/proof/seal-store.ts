import type { Db } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import type { LeaseStore } from '../../infra/lease-store.ts';
import { timeKeyOf } from '../../kernel/time-order.ts';
import { createLedgerQueries } from '../ledger-reads-store.ts';
import { createRebuildReads } from '../rebuild/reads-store.ts';
import { leafOf } from './leaf.ts';
import { leafHash, rootOf } from './merkle.ts';
import { type Signer, checkpointText } from './note.ts';
import { type TileStore, createTileStore } from './tiles-store.ts';

const LEASE = 'ledger-seal';

interface SealDeps {
  readonly db: Db;
  readonly signer: Signer;
  readonly databaseTime: () => Promise<{ readonly now: Date }>;
  /** How old an entry has to be; by default as in lists that are followed. */
  readonly settledWithinMs?: number;
}

/** Whose log a checkpoint is of. */
export function originOfTenant(name: string, tenantId: string): string {
  return `${name}/${tenantId}`;
}

/**
 * Takes what a tenant's log has got since into its tree: entries by `createdAt` and id, as far as no
 * transaction may be under way that writes an earlier one. Behind settlement, and never in its way.
 * Two at once write the same tiles, and one of them moves the end. Returns how many there were.
 */
export async function sealTenant(deps: SealDeps, tenantId: string): Promise<number> {
  const { db, signer, settledWithinMs, databaseTime } = deps;
  const store = createTileStore(db);
  const ledger = createLedgerQueries(
    db,
    { tenantId, currencies: [] },
    {
      ...(settledWithinMs !== undefined && { settledWithinMs }),
    },
  );
  const tree = await store.tree(tenantId);
  const size = tree?.size ?? 0;
  const after = tree === undefined ? {} : { after: tree.lastKey };
  const limit = LEDGER_LIMITS.sealPage;
  const entries = await ledger.entries({}, { ...after, limit, order: 'asc' });
  const last = entries.at(-1);
  if (last === undefined) return 0;
  const leaves = entries.map((entry) => ({
    ...{ id: entry._id, at: entry.createdAt },
    hash: leafHash(Buffer.from(leafOf(entry))),
  }));
  await store.append(tenantId, size, leaves);
  const next = size + leaves.length;
  const { now } = await databaseTime();
  await addCheckpoint(store, signer, { tenantId, size: next, at: now });
  const isOurs = await store.advance(tenantId, size, { size: next, lastKey: timeKeyOf(last) });
  return isOurs ? leaves.length : 0;
}

interface SealerDeps extends Omit<SealDeps, 'signer'> {
  readonly leases: LeaseStore;
  readonly owner: string;
}

/** Seals what there is of every tenant of a database, if no other process does. */
export function createSealer(deps: SealerDeps): (signer: Signer) => Promise<number> {
  const reads = createRebuildReads(deps.db);
  return async (signer) => {
    let sealed = 0;
    for (const tenantId of await reads.tenants()) {
      if (!(await deps.leases.hold(LEASE, deps.owner, LEDGER_LIMITS.sealLeaseMs))) break;
      for (let page = 0; page < LEDGER_LIMITS.sealPagesMax; page += 1) {
        const count = await sealTenant({ ...deps, signer }, tenantId);
        sealed += count;
        if (count < LEDGER_LIMITS.sealPage) break;
      }
    }
    return sealed;
  };
}

async function addCheckpoint(
  store: TileStore,
  signer: Signer,
  { tenantId, size, at }: { readonly tenantId: string; readonly size: number; readonly at: Date },
): Promise<void> {
  const root = await rootOf(size, store.subtree(tenantId));
  const origin = originOfTenant(signer.name, tenantId);
  const note = signer.sign(checkpointText({ origin, size, root }));
  await store.addCheckpoint({ tenantId, size, note, createdAt: at });
}
