import { AppError } from '../../../core/kernel/errors.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const removeSuppression = defineEndpoint({
  method: 'DELETE',
  path: '/v1/suppressions/:id',
  scope: 'notifications:admin',
  summary: 'Takes an address off the suppression list',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 204: null },
  handle: async ({ params: { id } }, request) => {
    const { services, tenant } = request;
    const { suppressions } = services.notifications(tenant);
    if (!(await suppressions.remove(tenant.tenantId, id))) {
      throw new AppError('not_found', 'There is no such suppression');
    }
    await noteDeed(request, { action: 'suppression.remove', targetId: id });
    return { status: 204 };
  },
});
