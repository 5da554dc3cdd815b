import type { Db } from 'mongodb';
import { READ_LIMITS } from '../../config/read-limits.ts';
import { collection } from '../infra/collections.ts';
import { findByKeys } from '../infra/reads/keyed-find.ts';
import { type GroupedReads, createGroupedReads } from '../infra/reads/grouped-reads.ts';
import type { OperationDoc } from './operation.ts';

/**
 * Single operations, from the primary. Look-ups of concurrent requests, of whatever tenants, share round
 * trips; each finds what belongs to its own tenant and nothing else.
 */
export type OperationPoints = GroupedReads<OperationDoc>;

export function createOperationPoints(
  db: Db,
  onGroup?: (what: 'operations', size: number) => void,
): OperationPoints {
  const docs = collection<OperationDoc>(db, 'operations');
  return createGroupedReads<OperationDoc>({
    sizeMax: READ_LIMITS.largeReadGroupMax,
    inFlightMax: READ_LIMITS.readGroupsInFlight,
    waitingMax: READ_LIMITS.readsWaitingMax,
    deadlineMs: READ_LIMITS.readDeadlineMs,
    idCharsMax: READ_LIMITS.readIdCharsMax,
    onGroup: (size) => onGroup?.('operations', size),
    load: (keys, give) =>
      findByKeys(docs, { keys, field: '_id' }, (doc) => {
        give({ tenantId: doc.tenantId, id: doc._id }, doc);
      }),
  });
}
