import type { Db } from 'mongodb';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newToken } from '../kernel/ids.ts';
import { SetupError } from '../kernel/setup-error.ts';
import {
  COLLECTIONS,
  type CollectionName,
  type DatabaseRole,
  collectionsOf,
} from './collections.ts';
import { createLeaseStore } from './lease-store.ts';

const SCHEMA_LEASE_MS = 30_000;
const SCHEMA_WAIT_MS = 60_000;
const SCHEMA_POLL_MS = 100;

/**
 * Creates what a database in this role has to have and lacks, collections and indexes. Processes that
 * start together take turns, by a lease: a server would have to undo one of two creations of the same
 * collection.
 *
 * @throws AppError `timeout` when another process holds the lease for longer than a minute.
 * @throws SetupError when the database was set up for the other tenancy: its work would be left alone.
 */
export async function ensureCollections(
  db: Db,
  clock: Clock,
  role: DatabaseRole = 'all',
): Promise<void> {
  const names = collectionsOf(role);
  await refuseOtherTenancy(db, role);
  const missing = await missingCollections(db, names);
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
    for (const name of await missingCollections(db, names)) await createCollection(db, name);
    await leases.release('schema', owner);
  }
  for (const name of names) {
    const { indexes } = COLLECTIONS[name];
    if (indexes.length > 0) await db.collection(name).createIndexes([...indexes]);
  }
}

/** Set up for tenants that have a database each: this one has them and their keys, and no work. */
export async function isControlOnly(db: Db): Promise<boolean> {
  const existing = await collectionNames(db);
  return existing.has('tenants') && !existing.has('operations');
}

async function refuseOtherTenancy(db: Db, role: DatabaseRole): Promise<void> {
  const name = db.databaseName;
  if (role === 'all' && (await isControlOnly(db))) {
    const own = 'each tenant has a database of its own';
    throw new SetupError(
      `Database ${name} was set up with TENANCY=per-brand, where ${own}. ${WAYS}`,
    );
  }
  if (role === 'control' && (await collectionNames(db)).has('operations')) {
    const all = 'all tenants share it';
    throw new SetupError(`Database ${name} was set up with TENANCY=shared, where ${all}. ${WAYS}`);
  }
}

const WAYS = 'Set TENANCY to that, or MONGO_DB to another name.';

async function missingCollections(
  db: Db,
  names: readonly CollectionName[],
): Promise<readonly CollectionName[]> {
  const existing = await collectionNames(db);
  return names.filter((name) => !existing.has(name));
}

async function collectionNames(db: Db): Promise<ReadonlySet<string>> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  return new Set(found.map(({ name }) => name));
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
