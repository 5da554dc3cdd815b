import { webhookEndpointSchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { endpointView } from '../../views/notification.ts';

export const getWebhookEndpoint = defineEndpoint({
  method: 'GET',
  path: '/v1/webhook-endpoints/:id',
  scope: 'notifications:admin',
  summary: 'One webhook endpoint, and since when it fails',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: webhookEndpointSchema },
  handle: async ({ params }, { services, tenant }) => {
    const endpoint = await services.notifications(tenant).endpoints.find(params.id);
    return found(endpointView(foundOr404(endpoint, 'webhook endpoint')));
  },
});
