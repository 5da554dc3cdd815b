import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../core/access/api-key.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { TenantStore } from '../../core/tenants/tenant-store.ts';
import { DEFAULT_TENANT_ID } from '../../core/tenants/tenant.ts';
import { isSameOrigin } from './same-origin.ts';
import type { AdminSessions } from './session.ts';

/** Who has signed in at /admin, calling the endpoints that others call with a key. */
export type FindOperator = (request: IncomingMessage) => Promise<Principal | undefined> | undefined;

/** A form or a link of another site cannot set it, and a script of one may not. */
const CONSOLE_HEADER = 'sluice-console';
const TENANT_HEADER = 'sluice-tenant';

interface OperatorDeps {
  readonly sessions: Pick<AdminSessions, 'find'>;
  readonly tenants: Pick<TenantStore, 'find'>;
}

/**
 * The operator of a request, for the tenant that it names (`Sluice-Tenant`). A session counts only
 * beside the header of the console; without it, or with a key, the cookie says nothing.
 *
 * @throws AppError `forbidden` when it comes from another site, `tenant_not_found`.
 */
export function createOperators({ sessions, tenants }: OperatorDeps): FindOperator {
  const find = async (request: IncomingMessage): Promise<Principal | undefined> => {
    const session = await sessions.find(request);
    if (session === undefined) return undefined;
    refuseOtherSites(request);
    const tenant = await tenants.find(tenantOf(request));
    // One that is not set up, or was given up, has nothing to show and takes nothing.
    if (tenant === undefined || (tenant.status ?? 'active') !== 'active') {
      throw new AppError('tenant_not_found', 'There is no such tenant, or it is not open');
    }
    return {
      keyId: `operator:${session.operator}`,
      tenant: { tenantId: tenant._id, currencies: tenant.currencies },
      scopes: ['admin'],
    };
  };
  // Without a promise for everybody else.
  return (request) => (isFromConsole(request) ? find(request) : undefined);
}

function isFromConsole({ headers }: IncomingMessage): boolean {
  return headers.authorization === undefined && headers[CONSOLE_HEADER] === '1';
}

function tenantOf({ headers }: IncomingMessage): string {
  const named = headers[TENANT_HEADER];
  return typeof named === 'string' && named !== '' ? named : DEFAULT_TENANT_ID;
}

/** Browsers send an origin with everything but reads, and say of all whether a page of ours asks. */
function refuseOtherSites(request: IncomingMessage): void {
  const { method, headers } = request;
  const site = headers['sec-fetch-site'];
  const isRead = method === 'GET' || method === 'HEAD';
  const isOurs = isSameOrigin(request) || (isRead && headers.origin === undefined);
  if (isOurs && (site === undefined || site === 'same-origin')) return;
  throw new AppError('forbidden', 'The request comes from another site');
}
