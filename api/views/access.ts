import type { ApiKeyDoc } from '../../core/access/api-key.ts';
import { type AuditRow, shownAction } from '../../core/audit/audit.ts';
import type { TenantDoc } from '../../core/tenants/tenant.ts';

/** `text`: where the key is shown, which is once. */
export function keyView(key: ApiKeyDoc, text?: string) {
  const { _id, name, scopes, createdAt, createdBy, oldSecrets = [] } = key;
  const oldest = oldSecrets.at(-1);
  return {
    id: _id,
    name,
    scopes,
    ...(text !== undefined && { key: text }),
    createdAt: createdAt.toISOString(),
    ...(createdBy !== undefined && { createdBy }),
    ...timesOf(key),
    ...(oldest !== undefined && { oldSecretUntil: oldest.until.toISOString() }),
    links: { self: `/v1/keys/${_id}` },
  };
}

function timesOf({ expiresAt, lastUsedAt, rotatedAt, revokedAt }: ApiKeyDoc) {
  return {
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
    ...(lastUsedAt !== undefined && { lastUsedAt: lastUsedAt.toISOString() }),
    ...(rotatedAt !== undefined && { rotatedAt: rotatedAt.toISOString() }),
    ...(revokedAt !== undefined && { revokedAt: revokedAt.toISOString() }),
  };
}

export function auditView(row: AuditRow) {
  const { _id, at, actor, operationId, targetId, before, after } = row;
  const { correlationId, note, name, assume, direction } = row;
  return {
    id: _id,
    at: at.toISOString(),
    actor,
    action: shownAction(row),
    target: operationId ?? targetId ?? '',
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(note !== undefined && { note }),
    ...(name !== undefined && { signal: name }),
    ...(assume !== undefined && { assume }),
    ...(direction !== undefined && { direction }),
    ...(correlationId !== undefined && { correlationId }),
  };
}

export function tenantView({ _id, status = 'active', currencies, plan, createdAt }: TenantDoc) {
  return {
    id: _id,
    status,
    currencies,
    ...(plan !== undefined && { plan }),
    createdAt: createdAt.toISOString(),
    links: { self: `/v1/tenants/${_id}` },
  };
}
