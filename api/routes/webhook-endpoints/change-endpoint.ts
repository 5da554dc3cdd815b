import { z } from 'zod';
import { webhookEndpointSchema } from '../../contract/notification.ts';
import { jsonBodyLike } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { endpointView } from '../../views/notification.ts';
import { parseInput } from '../../http/parse-input.ts';
import { endpointFields } from './endpoint-input.ts';
import { noteDeed } from '../../writes/note-deed.ts';

const changes = z
  .strictObject({
    url: endpointFields.url.exactOptional(),
    events: endpointFields.events.exactOptional(),
    description: endpointFields.description.unwrap().nullable().exactOptional(),
    status: z.enum(['enabled', 'disabled']).exactOptional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change something');

export const changeWebhookEndpoint = defineEndpoint({
  method: 'PATCH',
  path: '/v1/webhook-endpoints/:id',
  scope: 'notifications:admin',
  summary:
    'Changes URL, event filters or description of an endpoint (null removes it), disables or enables it',
  input: { params: idParams, query: noQuery, body: jsonBodyLike(changes) },
  output: { 200: webhookEndpointSchema },
  errors: ['illegal_state'],
  handle: async ({ params, body }, request) => {
    const { services, tenant } = request;
    const { endpoints } = services.notifications(tenant);
    const before = foundOr404(await endpoints.find(params.id), 'webhook endpoint');
    const after = endpointView(await endpoints.change(params.id, parseInput(changes, body)));
    const deed = { action: 'webhook-endpoint.change', targetId: params.id } as const;
    await noteDeed(request, { ...deed, before: endpointView(before), after });
    return found(after);
  },
});
