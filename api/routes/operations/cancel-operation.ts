import { noBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { idParams, noQuery } from '../../list.ts';
import { operationView } from '../../operation-view.ts';

export const cancelOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/:id/cancel',
  scope: 'operations:write',
  summary: 'Cancels an operation that has not begun; repeating it is harmless',
  input: { params: idParams, query: noQuery, body: noBody },
  handle: async ({ params }, { services, tenant }) => {
    const operation = await services.cancel(tenant, params.id);
    return found(operationView(operation, services.registry));
  },
});
