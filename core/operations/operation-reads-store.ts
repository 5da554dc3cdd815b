import type { Db, Filter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { type ListReads, createListReads } from '../infra/reads/list-reads.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import { searchByMetadata } from './metadata-search-store.ts';
import type { OperationFilter } from './operation-filter.ts';
import type { OperationDoc } from './operation.ts';
import { type OperationPoints, createOperationPoints } from './operation-points-store.ts';
import { USER_FIELDS } from '../events/event-users.ts';

/** A page by seeking: what comes after `after` in the list's order, at most `limit` of it. */
export interface Page {
  readonly after?: string;
  readonly limit: number;
  /** From the primary, wherever lists are read otherwise. */
  readonly isPresent?: true;
}

/** What clients and operators ask about one tenant's operations. */
export interface OperationReads {
  /** From the primary. */
  find(id: string): Promise<OperationDoc | undefined>;
  /** From the primary, in no particular order; ids that are not there are left out. */
  findMany(ids: readonly string[]): Promise<readonly OperationDoc[]>;
  findByKey(idempotencyKey: string): Promise<OperationDoc | undefined>;
  /**
   * Newest first; from a secondary, a moment behind, where the installation says so. The inputs of
   * batches stay behind: a page of them could be as large as all their requests together. So do
   * signals.
   */
  list(filter: OperationFilter, page: Page): Promise<readonly OperationDoc[]>;
}

interface OperationReadsOptions {
  /** Shared by all tenants of a process: look-ups that come at the same time go together. */
  readonly points?: OperationPoints;
  readonly lists?: ListReads;
}

export function createOperationReads(
  db: Db,
  { tenantId }: TenantScope,
  { points = createOperationPoints(db), lists = createListReads() }: OperationReadsOptions = {},
): OperationReads {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  return Object.freeze({
    find: (id: string) => points.read({ tenantId, id }),
    findMany: async (ids: readonly string[]) => {
      if (ids.length === 0) return [];
      return operations.find({ _id: { $in: ids as OperationId[] }, tenantId }, options).toArray();
    },
    findByKey: async (idempotencyKey: string) => {
      const found = await operations.findOne({ tenantId, idempotencyKey }, options);
      return found ?? undefined;
    },
    list: async (filter: OperationFilter, page: Page) => {
      const projection = { 'input.operations': 0, signals: 0 };
      const readPreference = lists.preference(page.isPresent);
      if (isSearch(filter)) {
        const ids = idRange(filter, page);
        const { limit } = page;
        return searchByMetadata(operations, {
          ...{ tenantId, filter, ids, limit },
          ...{ projection, readPreference },
        });
      }
      const found = operations.find(queryOf(tenantId, filter, page), {
        ...options,
        readPreference,
        projection,
      });
      // Of a key there is one at most.
      if (filter.idempotencyKey === undefined) found.sort({ _id: -1 });
      return found.limit(page.limit).toArray();
    },
  });
}

/** Nothing else that is asked for names a few operations by itself. */
function isSearch({ ids, idempotencyKey, metadata = {} }: OperationFilter): boolean {
  return ids === undefined && idempotencyKey === undefined && Object.keys(metadata).length > 0;
}

function queryOf(tenantId: string, filter: OperationFilter, page: Page): Filter<OperationDoc> {
  const { userId } = filter;
  const query = withoutUser(tenantId, filter, page);
  if (userId === undefined) return query;
  // At the root, so that the server merges the three in order, each out of its index.
  return { $or: USER_FIELDS.map((field) => ({ ...query, [`input.${field}`]: userId })) };
}

function withoutUser(tenantId: string, filter: OperationFilter, page: Page): Filter<OperationDoc> {
  const { type, status, idempotencyKey, metadata = {} } = filter;
  const wanted = Object.entries(metadata).map(([key, value]): [string, string] => [
    `metadata.${key}`,
    value,
  ]);
  const range = idRange(filter, page);
  return {
    tenantId,
    ...(type !== undefined && { type }),
    ...(status !== undefined && { status }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...Object.fromEntries<string>(wanted),
    ...(Object.keys(range).length > 0 && { _id: range }),
  };
}

interface IdRange {
  readonly $in?: readonly OperationId[];
  readonly $lt?: OperationId;
  readonly $gte?: OperationId;
}

function idRange({ ids, createdAfter, createdBefore }: OperationFilter, { after }: Page): IdRange {
  const ceilings: string[] = [];
  if (after !== undefined) ceilings.push(after);
  if (createdBefore !== undefined) ceilings.push(firstIdOf(createdBefore));
  const [lowest] = ceilings.sort(byCodeUnits);
  return {
    ...(ids !== undefined && { $in: ids as readonly OperationId[] }),
    ...(lowest !== undefined && { $lt: lowest as OperationId }),
    // The first id of the next millisecond: everything of `createdAfter` itself is left out.
    ...(createdAfter !== undefined && {
      $gte: firstIdOf(new Date(createdAfter.getTime() + 1)),
    }),
  };
}

/** The smallest id of a millisecond: a UUIDv7 starts with 48 bits of Unix time (RFC 9562, 5.7). */
function firstIdOf(time: Date): OperationId {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `op_${hex}${'0'.repeat(20)}`;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
