import { z } from 'zod';
import { RESOLVED_STATUSES } from '../../../core/operations/intervention.ts';
import { operationSchema } from '../../contract/operation.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { intervene, jsonBodyOf, note } from '../../writes/intervene.ts';
import { idParams, noQuery } from '../../http/list.ts';

export const resolveOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/:id/resolve',
  scope: 'admin',
  summary:
    'Closes an operation that needs attention with the outcome that a person has brought about; ' +
    'nothing else is done, in particular nothing to the ledger, so an open hold of its own refuses it',
  input: {
    params: idParams,
    query: noQuery,
    body: jsonBodyOf(z.strictObject({ note, status: z.enum(RESOLVED_STATUSES) })),
  },
  output: { 200: operationSchema, 202: operationSchema },
  headers: { prefer: ['wait'] },
  errors: ['illegal_state'],
  handle: ({ params, body }, request) =>
    intervene(request, params.id, { kind: 'resolve', ...body }),
});
