import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { type DeliveryDoc, isFinal } from './delivery.ts';

/** How the newest deliveries, by their operations, have ended. */
export async function sampleDeliveries(
  db: Db,
  max: number,
): Promise<{ readonly ended: number; readonly failed: number }> {
  const newest = await collection<DeliveryDoc>(db, 'deliveries')
    .find({}, { maxTimeMS: LIMITS.listMaxTimeMs, projection: { status: 1 } })
    .sort({ _id: -1 })
    .limit(max)
    .toArray();
  const ended = newest.filter(({ status }) => isFinal(status));
  const failed = ended.filter(({ status }) => status === 'failed' || status === 'uncertain');
  return { ended: ended.length, failed: failed.length };
}
