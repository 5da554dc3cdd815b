import { noBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../list.ts';
import { operationView } from '../../operation-view.ts';

export const getOperation = defineEndpoint({
  method: 'GET',
  path: '/v1/operations/:id',
  scope: 'ledger:read',
  summary: 'One operation with its status, result or error',
  input: { params: idParams, query: noQuery, body: noBody },
  handle: async ({ params }, { services, tenant }) => {
    const operation = await services.operations(tenant).find(params.id);
    return found(operationView(foundOr404(operation, 'operation'), services.registry));
  },
});
