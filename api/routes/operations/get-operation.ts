import { noBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../list.ts';
import { operationView, statusOfOperation } from '../../operation-view.ts';
import { outcomeOf, preferenceApplied } from '../../submit.ts';

export const getOperation = defineEndpoint({
  method: 'GET',
  path: '/v1/operations/:id',
  scope: 'ledger:read',
  summary:
    'One operation with its status, result or error; `Prefer: wait=<seconds>` waits for the outcome',
  input: { params: idParams, query: noQuery, body: noBody },
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
