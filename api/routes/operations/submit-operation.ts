import { parseSubmission } from '../../../core/ingest/parse-submission.ts';
import { jsonBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { submitOne } from '../../writes/submit.ts';

export const submitOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations',
  scope: 'operations:write',
  isByType: true,
  summary: 'Accepts one operation of any type: `{type, input, …}`',
  input: { params: noParams, query: noQuery, body: jsonBody },
  handle: ({ body }, request) =>
    submitOne(request, (idempotencyKey, context) => parseSubmission(body, idempotencyKey, context)),
});
