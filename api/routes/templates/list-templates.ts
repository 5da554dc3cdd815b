import { z } from 'zod';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { listReply, noParams, pageQuery } from '../../list.ts';
import { templateView } from '../../notification-views.ts';

export const listTemplates = defineEndpoint({
  method: 'GET',
  path: '/v1/templates',
  scope: 'notifications:admin',
  summary: 'The texts that you have written, every version, by name',
  input: {
    params: noParams,
    query: z.strictObject({ ...pageQuery, name: z.string().min(1).max(100).exactOptional() }),
    body: noBody,
  },
  handle: ({ query: { limit, cursor, ...filter } }, { services, tenant }) =>
    listReply(
      {
        list: 'templates',
        keyOf: ({ _id }) => _id,
        isKey: (text) => /^tpl_[0-9a-f]{32}-\d{6}$/.test(text),
        read: (page) =>
          services.notifications(tenant).templates.list(tenant.tenantId, filter, page),
        view: templateView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    ),
});
