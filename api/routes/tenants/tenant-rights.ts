import { AppError } from '../../../core/kernel/errors.ts';
import { DEFAULT_TENANT_ID } from '../../../core/tenants/tenant.ts';
import type { RequestContext } from '../../http/request-context.ts';

type Asking = Pick<RequestContext, 'tenant'>;

/** Admins of the default tenant look after all others. */
export function isKeeper({ tenant }: Asking): boolean {
  return tenant.tenantId === DEFAULT_TENANT_ID;
}

/** Everybody else sees their own, and nothing else is there for them. */
export function refuseForeign(request: Asking, id: string): void {
  if (isKeeper(request) || request.tenant.tenantId === id) return;
  throw new AppError('not_found', 'There is no such tenant');
}
