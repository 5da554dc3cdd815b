import { z } from 'zod';
import { builtInTemplates } from '../../../core/notifications/templates/built-in-templates.ts';
import { templatePage } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { templateView } from '../../views/notification.ts';

export const listTemplates = defineEndpoint({
  method: 'GET',
  path: '/v1/templates',
  scope: 'notifications:admin',
  summary:
    'The texts that you have written, every version, by name; with origin=built-in those that are ' +
    'used until you write your own, of any channel, in English',
  input: {
    params: noParams,
    query: z.strictObject({
      ...pageQuery,
      name: z.string().min(1).max(100).exactOptional(),
      origin: z.enum(['own', 'built-in']).exactOptional(),
    }),
    body: noBody,
  },
  output: { 200: templatePage },
  handle: ({ query: { limit, cursor, origin, ...filter } }, { services, tenant }) => {
    if (origin === 'built-in') return found({ items: builtIn(filter.name), nextCursor: null });
    return listReply(
      {
        list: 'templates',
        keyOf: ({ _id }) => _id,
        isKey: (text) => /^tpl_[0-9a-f]{32}-\d{6}$/.test(text),
        read: (page) =>
          services.notifications(tenant).templates.list(tenant.tenantId, filter, page),
        view: templateView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    );
  },
});

/** A few dozen, on one page. */
function builtIn(name: string | undefined) {
  return builtInTemplates()
    .filter((template) => name === undefined || template.name === name)
    .map((template) => ({ ...template, locale: 'en', origin: 'built-in' as const }));
}
