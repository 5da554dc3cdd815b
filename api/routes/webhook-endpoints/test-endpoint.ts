import { deliverySchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { deliveryView } from '../../views/notification.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const testWebhookEndpoint = defineEndpoint({
  method: 'POST',
  path: '/v1/webhook-endpoints/:id/test',
  scope: 'notifications:admin',
  summary: 'Sends a `webhook-endpoint.test` event to an endpoint; answers with its delivery',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 202: deliverySchema },
  headers: { idempotencyKey: 'optional' },
  errors: ['illegal_state', 'idempotency_conflict'],
  handle: async ({ params }, request) => {
    const { services, tenant } = request;
    const key = request.idempotencyKeyIfAny();
    const { endpoints } = services.notifications(tenant);
    const delivery = await endpoints.test(params.id, key);
    await noteDeed(request, { action: 'webhook-endpoint.test', targetId: params.id, key });
    const view = deliveryView(delivery);
    return { status: 202, headers: { Location: view.links.self }, body: view };
  },
});
