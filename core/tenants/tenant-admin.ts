import { type Deed, type Doer, auditLine } from '../audit/audit.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Json } from '../kernel/canonical.ts';
import { AppError } from '../kernel/errors.ts';
import {
  DEFAULT_TENANT_ID,
  type TenantDoc,
  type TenantStatus,
  isTenantStatus,
  mayBecome,
} from './tenant.ts';
import type { TenantChanges, TenantStore } from './tenant-store.ts';

export interface TenantAdmin {
  /**
   * Takes effect in every process as soon as it hears of it. What was accepted before is settled all
   * the same. Stands in the audit of both tenants: whose it is and whose deed it was.
   *
   * @throws AppError `not_found` or `illegal_state`.
   */
  change(doer: Doer, tenantId: string, changes: TenantChanges): Promise<TenantDoc>;
}

interface TenantAdminDeps {
  readonly tenants: Pick<TenantStore, 'change'>;
  readonly audit: Pick<AuditStore, 'add'>;
  readonly onChange: (tenantId: string) => void;
}

export function createTenantAdmin({ tenants, audit, onChange }: TenantAdminDeps): TenantAdmin {
  return Object.freeze({
    change: async (doer: Doer, tenantId: string, changes: TenantChanges) => {
      const changed = await tenants.change(tenantId, changes, {
        check: (before) => {
          refuseMove(before, changes.status);
        },
        beside: async (session, { before, after, now }) => {
          const deed: Deed = {
            action: 'tenant.change',
            targetId: tenantId,
            before: traits(before),
            after: traits(after),
          };
          const logs = new Set([tenantId, doer.tenantId]);
          const lines = [...logs].map((log) => auditLine({ ...doer, tenantId: log }, deed, now));
          await audit.add(lines, session);
        },
      });
      if (changed === undefined) throw new AppError('not_found', 'There is no such tenant');
      onChange(tenantId);
      return changed;
    },
  } satisfies TenantAdmin);
}

function refuseMove({ _id, status = 'active' }: TenantDoc, to: TenantStatus | undefined): void {
  if (!isTenantStatus(status)) {
    throw new AppError('illegal_state', `The tenant is ${status}: it is not set up`);
  }
  if (to === undefined) return;
  if (!mayBecome(status, to)) {
    throw new AppError('illegal_state', `A tenant that is ${status} cannot be made ${to}`);
  }
  if (_id === DEFAULT_TENANT_ID && to !== 'active') {
    const detail = 'The default tenant opens and shuts the others, so it stays active';
    throw new AppError('illegal_state', detail);
  }
}

function traits({ status = 'active', plan }: TenantDoc): Json {
  return { status, plan: plan === undefined ? null : (JSON.parse(JSON.stringify(plan)) as Json) };
}
