import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import type { TenantScope } from '../../tenants/tenant.ts';
import type { EntryDoc } from '../documents.ts';
import { leafOf } from './leaf.ts';
import { consistencyPath, inclusionPath } from './merkle.ts';
import { type CheckpointDoc, createTileStore } from './tiles-store.ts';

/** Shows that an entry stands in a tenant's log, for whoever has the public key. */
export interface EntryProof {
  readonly leaf: string;
  readonly index: number;
  readonly path: readonly string[];
  readonly checkpoint: string;
}

export interface LedgerProofs {
  /** `unknown`: there is no such entry. `unsealed`: not in the tree yet. */
  ofEntry(id: string): Promise<EntryProof | 'unknown' | 'unsealed'>;
  checkpoint(size?: number): Promise<CheckpointDoc | undefined>;
  /** Undefined: there is no checkpoint of one of these sizes. */
  consistency(first: number, second: number): Promise<readonly string[] | undefined>;
}

export function createLedgerProofs(db: Db, { tenantId }: TenantScope): LedgerProofs {
  const entries = collection<EntryDoc>(db, 'transactions');
  const store = createTileStore(db);
  const texts = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));
  return Object.freeze({
    ofEntry: async (id) => {
      const entry = await entries.findOne(
        { _id: id, tenantId },
        { maxTimeMS: LIMITS.listMaxTimeMs },
      );
      if (entry === null) return 'unknown';
      const index = await store.find(tenantId, { id, at: entry.createdAt });
      const latest = await store.checkpoint(tenantId);
      if (index === undefined || latest === undefined || index >= latest.size) return 'unsealed';
      const path = await inclusionPath(index, latest.size, store.subtree(tenantId));
      return { leaf: leafOf(entry), index, path: texts(path), checkpoint: latest.note };
    },
    checkpoint: (size) => store.checkpoint(tenantId, size),
    consistency: async (first, second) => {
      const sizes = [first, second].filter((size) => size > 0);
      for (const size of sizes) {
        if ((await store.checkpoint(tenantId, size)) === undefined) return undefined;
      }
      return texts(await consistencyPath(first, second, store.subtree(tenantId)));
    },
  } satisfies LedgerProofs);
}
