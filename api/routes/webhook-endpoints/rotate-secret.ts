import { webhookEndpointSchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { endpointView } from '../../views/notification.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const rotateWebhookSecret = defineEndpoint({
  method: 'POST',
  path: '/v1/webhook-endpoints/:id/rotate-secret',
  scope: 'notifications:admin',
  summary:
    'Gives an endpoint a new secret, shown this once; the old one signs as well for 24 hours',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: webhookEndpointSchema },
  headers: { idempotencyKey: 'required' },
  errors: ['illegal_state', 'idempotency_conflict'],
  handle: async ({ params }, request) => {
    const { services, tenant } = request;
    const key = request.idempotencyKey();
    const { endpoints } = services.notifications(tenant);
    const { endpoint, secret } = await endpoints.rotate(params.id, key);
    const deed = { action: 'webhook-endpoint.rotate-secret', targetId: params.id, key } as const;
    await noteDeed(request, { ...deed, after: endpointView(endpoint) });
    const reply = found(endpointView(endpoint, secret));
    return secret === undefined ? { ...reply, headers: { 'Idempotent-Replayed': 'true' } } : reply;
  },
});
