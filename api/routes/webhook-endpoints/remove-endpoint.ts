import { AppError } from '../../../core/kernel/errors.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';

export const removeWebhookEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/v1/webhook-endpoints/:id',
  scope: 'notifications:admin',
  summary: 'Removes a webhook endpoint; what waits for it is skipped',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 204: null },
  handle: async ({ params }, { services, tenant }) => {
    if (await services.notifications(tenant).endpoints.remove(params.id)) return { status: 204 };
    throw new AppError('not_found', 'There is no such webhook endpoint');
  },
});
