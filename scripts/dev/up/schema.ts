import { openMongo } from '../../../core/infra/mongo.ts';
import { ensureCollections } from '../../../core/infra/schema.ts';
import { systemClock } from '../../../core/kernel/clock.ts';

/**
 * Creates the collections before any process of the platform asks for them: the Windows build of
 * MongoDB that stands in on some machines does not survive two at once creating the same one.
 */
export async function prepareSchema(url: string, database: string): Promise<void> {
  const mongo = await openMongo({ url, database, appName: 'sluice-up' });
  try {
    await ensureCollections(mongo.db, systemClock);
  } finally {
    await mongo.close();
  }
}
