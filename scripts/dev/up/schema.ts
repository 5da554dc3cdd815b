import type { DatabaseRole } from '../../../core/infra/collections.ts';
import { openMongo } from '../../../core/infra/mongo.ts';
import { ensureCollections } from '../../../core/infra/schema.ts';
import { systemClock } from '../../../core/kernel/clock.ts';

/**
 * Creates the collections before any process of the platform asks for them: the Windows build of
 * MongoDB that stands in on some machines does not survive two at once creating the same one.
 */
export async function prepareSchema(
  { url, database }: { readonly url: string; readonly database: string },
  role: DatabaseRole,
): Promise<void> {
  const mongo = await openMongo({ url, database, appName: 'sluice-up' });
  try {
    await ensureCollections(mongo.db, systemClock, role);
  } finally {
    await mongo.close();
  }
}
