import { z } from 'zod';
import { AUDIT_ACTOR_CHARS_MAX } from '../../../config/access-limits.ts';
import { type AuditFilter, AUDIT_ACTIONS, isAuditId } from '../../../core/audit/audit.ts';
import { instant } from '../../../core/operations/inputs.ts';
import { auditPage } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { auditView } from '../../views/access.ts';

const time = instant.transform((text) => new Date(text));
const name = z.string().min(1).max(AUDIT_ACTOR_CHARS_MAX);

const query = z.strictObject({
  ...pageQuery,
  action: z.enum(AUDIT_ACTIONS).exactOptional(),
  actor: name.exactOptional().meta({ description: 'the id of a key, or `jwt:<tenant>:<subject>`' }),
  target: name.exactOptional().meta({ description: 'the id of what it was done to' }),
  createdAfter: time.exactOptional(),
  createdBefore: time.exactOptional(),
});

export const listAudit = defineEndpoint({
  method: 'GET',
  path: '/v1/audit',
  scope: 'admin',
  summary:
    'What was done to keys, templates, rules, suppressions, webhook endpoints, operations and the ' +
    'tenant: who, what, before and after, when; newest first, by action, actor, target, createdAfter ' +
    'and createdBefore',
  input: { params: noParams, query, body: noBody },
  output: { 200: auditPage },
  handle: ({ query: { limit, cursor, ...rest } }, { services, tenant }) => {
    const filter: AuditFilter = rest;
    return listReply(
      {
        list: 'audit',
        keyOf: ({ _id }) => _id,
        isKey: isAuditId,
        read: (page) => services.audit.list(tenant.tenantId, filter, page),
        view: auditView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    );
  },
});
