import type { Db } from 'mongodb';
import { z } from 'zod';

const statusSchema = z.object({
  metrics: z.object({
    queryExecutor: z.object({ scanned: z.coerce.number(), scannedObjects: z.coerce.number() }),
  }),
});

/**
 * Index keys and documents that the server has looked at for queries since it started: of a query whose
 * cost grows with what is waiting this says so on any machine, where a rate may say that it was busy.
 */
export async function readLooks(db: Db): Promise<number> {
  const status = await db.admin().command({ serverStatus: 1, metrics: 1 });
  const { scanned, scannedObjects } = statusSchema.parse(status).metrics.queryExecutor;
  return scanned + scannedObjects;
}
