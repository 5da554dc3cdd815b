import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { HEAD, type OperationDoc, type OperationHead } from './operation.ts';

export interface RedispatchStore {
  /**
   * Open operations that a job should stand for, status by status, behind the last one of the page
   * before: as many of a page as no live claim holds.
   */
  openAfter(last: OperationHead | undefined, limit: number): Promise<OpenPage>;
  /** `seq + 1` by compare-and-set; only what this call moved. */
  renumber(operations: readonly OperationHead[]): Promise<readonly OperationHead[]>;
}

export interface OpenPage {
  readonly operations: readonly OperationHead[];
  /** Undefined: that was the last page. */
  readonly last: OperationHead | undefined;
}

const WITH_JOBS: readonly OperationDoc['status'][] = ['accepted', 'running', 'compensating'];
const BY_STATUS = { status: 1, tenantId: 1, _id: -1 } as const;

export function createRedispatchStore(db: Db): RedispatchStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const pageOf = (
    status: OperationDoc['status'],
    last: OperationHead | undefined,
    limit: number,
  ): Promise<OperationHead[]> => {
    // The bound is for the index, which then goes on where it ended.
    const behind =
      last === undefined
        ? {}
        : {
            tenantId: { $gte: last.tenantId },
            $or: [{ tenantId: { $gt: last.tenantId } }, { _id: { $lt: last._id } }],
          };
    return operations
      .find<OperationHead>({ status, ...behind }, { ...options, projection: HEAD, hint: BY_STATUS })
      .sort({ tenantId: 1, _id: -1 })
      .limit(limit)
      .toArray();
  };
  return Object.freeze({
    openAfter: async (last: OperationHead | undefined, limit: number) => {
      const { now } = await readDatabaseTime(db);
      for (const status of WITH_JOBS.slice(
        last === undefined ? 0 : WITH_JOBS.indexOf(last.status),
      )) {
        const page = await pageOf(status, last?.status === status ? last : undefined, limit);
        if (page.length === 0) continue;
        const isFree = ({ leaseUntil = now }: OperationHead): boolean => leaseUntil <= now;
        return { operations: page.filter(isFree), last: page.at(-1) };
      }
      return { operations: [], last: undefined };
    },
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
  } satisfies RedispatchStore);
}
