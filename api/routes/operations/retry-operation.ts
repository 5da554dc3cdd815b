import { z } from 'zod';
import { operationSchema } from '../../contract/operation.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { intervene, jsonBodyOf, note } from '../../writes/intervene.ts';
import { idParams, noQuery } from '../../http/list.ts';

export const retryOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/:id/retry',
  scope: 'admin',
  summary:
    'Lets an operation that needs attention go on from where it stood, its attempts counted ' +
    'anew, or takes back what it did (`direction: back`). `assume` says what became of a step ' +
    'whose outcome is unknown',
  input: {
    params: idParams,
    query: noQuery,
    body: jsonBodyOf(
      z.strictObject({
        note,
        assume: z.enum(['applied', 'absent']).exactOptional(),
        direction: z.enum(['forward', 'back']).exactOptional(),
      }),
    ),
  },
  output: { 200: operationSchema, 202: operationSchema },
  headers: { prefer: ['wait'] },
  errors: ['illegal_state'],
  handle: ({ params, body }, request) => intervene(request, params.id, { kind: 'retry', ...body }),
});
