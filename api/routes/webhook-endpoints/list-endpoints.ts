import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { webhookEndpointPage } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, plainPageQuery } from '../../http/list.ts';
import { endpointView } from '../../views/notification.ts';

export const listWebhookEndpoints = defineEndpoint({
  method: 'GET',
  path: '/v1/webhook-endpoints',
  scope: 'notifications:admin',
  summary: 'Webhook endpoints',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  output: { 200: webhookEndpointPage },
  handle: ({ query }, { services, tenant }) =>
    listReply(
      {
        list: 'webhook-endpoints',
        keyOf: ({ _id }: WebhookEndpointDoc) => _id,
        isKey: (text) => /^whk_[0-9a-f]{32}$/.test(text),
        read: (page) => services.notifications(tenant).endpoints.list(page),
        view: (endpoint: WebhookEndpointDoc) => endpointView(endpoint),
      },
      query,
    ),
});
