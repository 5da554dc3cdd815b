import { templateSchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { templateView } from '../../views/notification.ts';

export const getTemplate = defineEndpoint({
  method: 'GET',
  path: '/v1/templates/:id',
  scope: 'notifications:admin',
  summary: 'One version of a text',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: templateSchema },
  handle: async ({ params }, { services, tenant }) => {
    const { templates } = services.notifications(tenant);
    const template = await templates.findById(tenant.tenantId, params.id);
    return found(templateView(foundOr404(template, 'template')));
  },
});
