import { hash } from 'node:crypto';
import type { AdminAction } from '../../core/audit/audit.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import type { RequestContext } from '../http/request-context.ts';

interface Done {
  readonly action: AdminAction;
  readonly targetId: string;
  /** As clients are shown it, so without secrets. */
  readonly before?: unknown;
  readonly after?: unknown;
  /** The idempotency key, where there is one: a repeat writes what its first attempt could not. */
  readonly key?: string | undefined;
}

/** Writes down what a request has done, before it is answered. */
export async function noteDeed(request: RequestContext, done: Done): Promise<void> {
  const { services, tenant, keyId, correlationId } = request;
  const { action, targetId, before, after, key } = done;
  const doer = { tenantId: tenant.tenantId, actor: keyId, correlationId };
  await services.audit.note(doer, {
    action,
    targetId,
    ...(before !== undefined && { before: plain(before) }),
    ...(after !== undefined && { after: plain(after) }),
    ...(key !== undefined && { token: tokenOf(action, targetId, key) }),
  });
}

/** A view as it goes over the wire. */
function plain(view: unknown): Json {
  return JSON.parse(JSON.stringify(view)) as Json; // what JSON.parse gives
}

function tokenOf(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}
