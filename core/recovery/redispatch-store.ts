import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import type { OperationId } from '../kernel/ids.ts';
import { HEAD, type OperationDoc, type OperationHead } from '../saga/operation.ts';
import type { OutboxRow } from '../saga/ports.ts';
import type { RedispatchStore } from './redispatch.ts';

export function createRedispatchStore(db: Db): RedispatchStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const outbox = collection<OutboxRow>(db, 'outbox');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    openAfter: async (id: string | undefined, limit: number) =>
      operations
        .find<OperationHead>(
          {
            // Only what is open has the field, and its index with it.
            nextCheckAt: { $exists: true },
            status: { $in: ['accepted', 'running', 'compensating'] },
            $expr: { $lte: [{ $ifNull: ['$leaseUntil', new Date(0)] }, '$$NOW'] },
            ...(id !== undefined && { _id: { $gt: id as OperationId } }),
          },
          { ...options, projection: HEAD },
        )
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    renumber: async (page: readonly OperationHead[]) => {
      if (page.length === 0) return [];
      const { now } = await readDatabaseTime(db);
      const nextCheckAt = new Date(now.getTime() + LIMITS.recheckMs);
      const moved = await Promise.all(
        page.map(async ({ _id, epoch, status, dispatch }) => {
          const next = { queue: dispatch.queue, seq: dispatch.seq + 1, at: now };
          return operations.findOneAndUpdate(
            { _id, epoch, status, 'dispatch.seq': dispatch.seq },
            { $set: { dispatch: next, ...(status === 'accepted' && { nextCheckAt }) } },
            { returnDocument: 'after', projection: HEAD },
          );
        }),
      );
      return moved.filter((operation) => operation !== null);
    },
    outboxAfter: async (id: string | undefined, limit: number) =>
      outbox
        .find(id === undefined ? {} : { _id: { $gt: id } }, {
          ...options,
          projection: { tenantId: 1 },
        })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
  } satisfies RedispatchStore);
}
