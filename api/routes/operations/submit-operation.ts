import { parseSubmission } from '../../../core/ingest/parse-submission.ts';
import { jsonBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { noParams, noQuery } from '../../list.ts';
import { submitOne } from '../../submit.ts';

export const submitOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations',
  scope: 'operations:write',
  summary: 'Accepts one operation of any type: `{type, input, …}`',
  input: { params: noParams, query: noQuery, body: jsonBody },
  handle: ({ body }, request) =>
    submitOne(request, (idempotencyKey, context) => parseSubmission(body, idempotencyKey, context)),
});
