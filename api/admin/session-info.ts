import { DELIVERY_STATUSES } from '../../core/notifications/delivery/delivery.ts';
import { CHANNELS } from '../../core/notifications/ports.ts';
import { OPERATION_TYPES } from '../../core/operation-types/registry.ts';
import { RESOLVED_STATUSES } from '../../core/operations/intervention.ts';
import { OPEN, STATUSES } from '../../core/operations/status.ts';
import type { TenantStore } from '../../core/tenants/tenant-store.ts';
import type { TenantDoc } from '../../core/tenants/tenant.ts';
import { type Endpoint, found } from '../http/endpoint.ts';
import type { Reply } from '../http/reply.ts';
import type { AdminSession } from './session.ts';

/** More than these are named by hand. */
const TENANTS_SHOWN = 500;

interface InfoDeps {
  readonly tenants: Pick<TenantStore, 'list'>;
  readonly endpoints: readonly Endpoint[];
}

/** What the console has to know before its first page: who, which tenants, and our words. */
export async function sessionReply(
  { tenants, endpoints }: InfoDeps,
  session: AdminSession,
  formToken: string,
): Promise<Reply> {
  const shown = await tenants.list({ limit: TENANTS_SHOWN + 1 });
  return found({
    operator: session.operator,
    endsAt: session.endsAt.toISOString(),
    formToken,
    tenants: shown.slice(0, TENANTS_SHOWN).map(tenantView),
    hasMoreTenants: shown.length > TENANTS_SHOWN,
    words: {
      operationTypes: [...OPERATION_TYPES].sort(byCodeUnits),
      statuses: STATUSES,
      openStatuses: OPEN,
      resolvedStatuses: RESOLVED_STATUSES,
      channels: CHANNELS,
      deliveryStatuses: DELIVERY_STATUSES,
    },
    // What the buttons do, in the words of the reference.
    endpoints: Object.fromEntries(
      endpoints
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path, summary }) => [`${method} ${path}`, summary]),
    ),
  });
}

function tenantView({ _id, status = 'active', currencies }: TenantDoc) {
  return { id: _id, status, currencies };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
