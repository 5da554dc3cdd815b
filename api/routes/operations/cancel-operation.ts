import { operationSchema } from '../../contract/operation.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { intervene } from '../../writes/intervene.ts';
import { idParams, noQuery } from '../../http/list.ts';

export const cancelOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/:id/cancel',
  scope: 'operations:write',
  isByType: true,
  summary:
    'Cancels an operation: at once if nothing has happened yet, else before its point of no ' +
    'return, by taking back what has; repeating it is harmless',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: operationSchema, 202: operationSchema },
  headers: { prefer: ['wait'] },
  errors: ['not_cancelable', 'illegal_state'],
  handle: ({ params }, request) => intervene(request, params.id, { kind: 'cancel' }),
});
