import type { Mongo } from '../core/infra/mongo.ts';
import { CELL_LIMITS } from '../config/cell-limits.ts';
import { brandDatabase } from '../core/tenants/brand-database.ts';
import { createTenantStore } from '../core/tenants/tenant-store.ts';
import { isControlOnly } from '../core/infra/schema.ts';

/** A database that tenants' work stands in. */
export interface WorkDatabase {
  readonly db: Mongo['db'];
  readonly name: string;
  /** The tenant that has it to itself. */
  readonly brand?: string;
}

/**
 * The databases behind the one that was named: itself, or, where tenants have a database each, theirs.
 * What was named says which it is: the control database of brands holds no operations.
 */
export async function workDatabases({ client, db }: Mongo): Promise<readonly WorkDatabase[]> {
  if (!(await isControlOnly(db))) return [{ db, name: db.databaseName }];
  const brands = await createTenantStore(db).working(CELL_LIMITS.cellsMax);
  return brands.map((brand) => {
    const name = brandDatabase(db.databaseName, brand);
    return { db: client.db(name), name, brand };
  });
}
