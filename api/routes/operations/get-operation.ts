import { operationSchema } from '../../contract/operation.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { operationView, statusOfOperation } from '../../views/operation.ts';
import { outcomeOf, preferenceApplied } from '../../writes/submit.ts';

export const getOperation = defineEndpoint({
  method: 'GET',
  path: '/v1/operations/:id',
  scope: 'ledger:read',
  summary:
    'One operation with its status, result or error; `Prefer: wait=<seconds>` waits for the outcome',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: operationSchema },
  headers: { prefer: ['wait'] },
  handle: async ({ params }, request) => {
    const { services, tenant } = request;
    const stored = await services.operations(tenant).find(params.id);
    const operation = await outcomeOf(request, foundOr404(stored, 'operation'));
    return {
      ...found(operationView(operation, services.registry)),
      headers: preferenceApplied(request, statusOfOperation(operation) === 200),
    };
  },
});
