import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { OperationDoc } from './operation.ts';

/** Who has how much waiting: as many looks at an index as there are tenants with work. */
export async function tenantBacklogs(
  db: Db,
  { tenantsMax, countMax }: { readonly tenantsMax: number; readonly countMax: number },
): Promise<ReadonlyMap<string, number>> {
  const operations = collection<OperationDoc>(db, 'operations');
  const hint = { status: 1, tenantId: 1, _id: -1 } as const;
  const options = { maxTimeMS: LIMITS.listMaxTimeMs, hint };
  const found = new Map<string, number>();
  let after = '';
  while (found.size < tenantsMax) {
    const next = await operations.findOne<Pick<OperationDoc, 'tenantId'>>(
      { status: 'accepted', tenantId: { $gt: after } },
      { ...options, projection: { _id: 0, tenantId: 1 }, sort: { tenantId: 1 } },
    );
    if (next === null) break;
    const { tenantId } = next;
    const mine = { status: 'accepted', tenantId } as const;
    found.set(tenantId, await operations.countDocuments(mine, { ...options, limit: countMax }));
    after = tenantId;
  }
  return found;
}
