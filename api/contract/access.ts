import { z } from 'zod';
import { planSchema } from '../../config/plan.ts';
import { AUDIT_ACTIONS } from '../../core/audit/audit.ts';
import { TENANT_STATUSES } from '../../core/tenants/tenant.ts';
import { json, pageOf, text, time } from './parts.ts';

/** Keys, tenants and the audit as clients see them. */

export const keySchema = z
  .strictObject({
    id: text,
    name: text,
    scopes: z.array(text),
    key: text
      .exactOptional()
      .meta({ description: 'The key itself: shown when it is made and never again' }),
    createdAt: time,
    createdBy: text.exactOptional(),
    expiresAt: time.exactOptional(),
    lastUsedAt: time.exactOptional().meta({ description: 'To the minute' }),
    rotatedAt: time.exactOptional(),
    revokedAt: time.exactOptional(),
    oldSecretUntil: time.exactOptional(),
    links: z.strictObject({ self: text }),
  })
  .meta({ id: 'ApiKey' });
export const keyPage = pageOf(keySchema, 'ApiKeyPage');

const auditSchema = z
  .strictObject({
    id: text,
    at: time,
    actor: text,
    action: text.meta({ description: `One of ${AUDIT_ACTIONS.join(', ')}` }),
    target: text,
    before: json.exactOptional(),
    after: json.exactOptional(),
    note: text.exactOptional(),
    signal: text.exactOptional(),
    assume: text.exactOptional(),
    direction: text.exactOptional(),
    correlationId: text.exactOptional(),
  })
  .meta({ id: 'AuditLine' });
export const auditPage = pageOf(auditSchema, 'AuditPage');

export const tenantSchema = z
  .strictObject({
    id: text,
    status: z.enum([...TENANT_STATUSES, 'provisioning', 'abandoned']),
    currencies: z.array(text),
    plan: planSchema.exactOptional(),
    createdAt: time,
    links: z.strictObject({ self: text }),
  })
  .meta({ id: 'Tenant' });
export const tenantPage = pageOf(tenantSchema, 'TenantPage');
