import { waitingSchema } from '../../contract/waiting.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { waitingView } from '../../views/waiting.ts';

export const getWaiting = defineEndpoint({
  method: 'GET',
  path: '/v1/operations/:id/waiting',
  scope: 'ledger:read',
  summary: 'What an open operation waits for: kind, subject, since when, and until when if known',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: waitingSchema },
  handle: async ({ params }, { services, tenant }) => {
    const stored = await services.operations(tenant).find(params.id);
    const operation = foundOr404(stored, 'operation');
    const waitingOn = await services.waiting.operations.look(operation);
    return found({
      operationId: operation._id,
      status: operation.status,
      ...waitingView(waitingOn),
    });
  },
});
