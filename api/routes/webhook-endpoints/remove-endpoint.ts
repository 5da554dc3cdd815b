import { AppError } from '../../../core/kernel/errors.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { endpointView } from '../../views/notification.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const removeWebhookEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/v1/webhook-endpoints/:id',
  scope: 'notifications:admin',
  summary: 'Removes a webhook endpoint; what waits for it is skipped',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 204: null },
  handle: async ({ params: { id } }, request) => {
    const { endpoints } = request.services.notifications(request.tenant);
    const stood = foundOr404(await endpoints.find(id), 'webhook endpoint');
    if (!(await endpoints.remove(id))) {
      throw new AppError('not_found', 'There is no such webhook endpoint');
    }
    const before = endpointView(stood);
    await noteDeed(request, { action: 'webhook-endpoint.remove', targetId: id, before });
    return { status: 204 };
  },
});
