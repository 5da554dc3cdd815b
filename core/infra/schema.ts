import type { Db } from 'mongodb';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newToken } from '../kernel/ids.ts';
import { COLLECTIONS } from './collections.ts';
import { createLeaseStore } from './lease-store.ts';

const SCHEMA_LEASE_MS = 30_000;
const SCHEMA_WAIT_MS = 60_000;
const SCHEMA_POLL_MS = 100;

/**
 * Creates collections and indexes that are missing. Processes that start together take turns, by a
 * lease: a server would have to undo one of two creations of the same collection.
 *
 * @throws AppError `timeout` when another process holds the lease for longer than a minute.
 */
export async function ensureCollections(db: Db, clock: Clock): Promise<void> {
  const missing = await missingCollections(db);
  if (missing.length > 0) {
    await createCollection(db, 'leases');
    const leases = createLeaseStore(db);
    const owner = newToken();
    const deadlineMs = clock.monotonicMs() + SCHEMA_WAIT_MS;
    while (!(await leases.hold('schema', owner, SCHEMA_LEASE_MS))) {
      if (clock.monotonicMs() > deadlineMs) {
        throw new AppError('timeout', 'Another process has been creating collections for a minute');
      }
      await clock.sleep(SCHEMA_POLL_MS);
    }
    for (const name of await missingCollections(db)) await createCollection(db, name);
    await leases.release('schema', owner);
  }
  for (const [name, { indexes }] of Object.entries(COLLECTIONS)) {
    if (indexes.length > 0) await db.collection(name).createIndexes([...indexes]);
  }
}

async function missingCollections(db: Db): Promise<readonly string[]> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  const existing = new Set(found.map((info) => info.name));
  return Object.keys(COLLECTIONS).filter((name) => !existing.has(name));
}

const NAMESPACE_EXISTS = 48;

async function createCollection(db: Db, name: string): Promise<void> {
  try {
    await db.createCollection(name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== NAMESPACE_EXISTS) throw error;
  }
}
