import type { ClientSession, Db, Filter } from 'mongodb';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { faultOf } from '../infra/database-errors.ts';
import {
  type AdminLine,
  type AuditFilter,
  type AuditRow,
  auditIdAt,
  storedAction,
} from './audit.ts';

/** The log of deeds. Lines are added and read, nothing else. */
export interface AuditStore {
  /** With a session: in the transaction of what was done. One that stands already is left alone. */
  add(lines: readonly AdminLine[], session?: ClientSession): Promise<void>;
  /** Newest first. */
  list(
    tenantId: string,
    filter: AuditFilter,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly AuditRow[]>;
}

/** `databaseOf`: where a tenant's work stands, and with it what was done about that. */
export function createAuditStore(databaseOf: (tenantId: string) => Db): AuditStore {
  const auditOf = (tenantId: string) => collection<AuditRow>(databaseOf(tenantId), 'audit');
  return Object.freeze({
    add: async (lines: readonly AdminLine[], session?: ClientSession) => {
      for (const line of lines) {
        try {
          await auditOf(line.tenantId).insertOne(line, session === undefined ? {} : { session });
        } catch (error) {
          // Outside of a transaction: an earlier attempt of the same request has written it.
          if (session !== undefined || faultOf(error) !== 'duplicate-key') throw error;
        }
      }
    },
    list: async (tenantId: string, filter: AuditFilter, { after, limit }) =>
      auditOf(tenantId)
        .find(filterOf(tenantId, filter, after), { maxTimeMS: LIMITS.listMaxTimeMs })
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),
  } satisfies AuditStore);
}

function filterOf(
  tenantId: string,
  filter: AuditFilter,
  after: string | undefined,
): Filter<AuditRow> {
  const { action, actor, createdAfter, createdBefore } = filter;
  const ids = idRange(after, createdAfter, createdBefore);
  const at = {
    ...(createdAfter !== undefined && { $gt: createdAfter }),
    ...(createdBefore !== undefined && { $lt: createdBefore }),
  };
  return {
    tenantId,
    ...(action !== undefined && { action: storedAction(action) }),
    ...(actor !== undefined && { actor }),
    ...targetOf(filter),
    ...(Object.keys(ids).length > 0 && { _id: ids }),
    ...(Object.keys(at).length > 0 && { at }),
  };
}

function targetOf({ target }: AuditFilter): Filter<AuditRow> {
  if (target === undefined) return {};
  return target.startsWith('op_') ? { operationId: target } : { targetId: target };
}

/** Ids stand in the order of time but for the clocks of processes: a time is a range of them. */
function idRange(
  after: string | undefined,
  createdAfter: Date | undefined,
  createdBefore: Date | undefined,
) {
  const skew = ACCESS_LIMITS.auditClockSkewMs;
  const until = createdBefore === undefined ? [] : [auditIdAt(createdBefore.getTime() + skew)];
  const [below] = [...(after === undefined ? [] : [after]), ...until].sort();
  return {
    ...(createdAfter !== undefined && { $gte: auditIdAt(createdAfter.getTime() - skew) }),
    ...(below !== undefined && { $lt: below }),
  } as Filter<AuditRow>['_id'] & object;
}
