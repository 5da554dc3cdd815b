import { z } from 'zod';
import { webhookEndpointSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { endpointView } from '../../views/notification.ts';
import { endpointFields } from './endpoint-input.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const createWebhookEndpoint = defineEndpoint({
  method: 'POST',
  path: '/v1/webhook-endpoints',
  scope: 'notifications:admin',
  summary: 'Makes a webhook endpoint; its secret is in the answer and nowhere else afterwards',
  input: {
    params: noParams,
    query: noQuery,
    body: schemaBody(z.strictObject(endpointFields)),
  },
  output: { 200: webhookEndpointSchema, 201: webhookEndpointSchema },
  headers: { idempotencyKey: 'required' },
  errors: ['idempotency_conflict', 'limit_reached'],
  handle: async ({ body }, request) => {
    const { services, tenant } = request;
    const key = request.idempotencyKey();
    const { endpoints } = services.notifications(tenant);
    const { endpoint, secret } = await endpoints.create(body, key);
    const view = endpointView(endpoint, secret);
    const deed = { action: 'webhook-endpoint.create', targetId: endpoint._id, key } as const;
    await noteDeed(request, { ...deed, after: endpointView(endpoint) });
    const headers = { Location: view.links.self };
    return secret === undefined
      ? { status: 200, headers: { ...headers, 'Idempotent-Replayed': 'true' }, body: view }
      : { status: 201, headers, body: view };
  },
});
