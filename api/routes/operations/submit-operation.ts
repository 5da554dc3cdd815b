import { parseSubmission } from '../../../core/ingest/parse-submission.ts';
import { operationAnswer } from '../../contract/operation.ts';
import { submission } from '../../contract/submissions.ts';
import { jsonBodyLike } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { SUBMIT_ERRORS, SUBMIT_HEADERS, submitOne } from '../../writes/submit.ts';

export const submitOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations',
  scope: 'operations:write',
  isByType: true,
  summary: 'Accepts one operation of any type: `{type, input, …}`',
  input: { params: noParams, query: noQuery, body: jsonBodyLike(submission) },
  output: { 200: operationAnswer, 202: operationAnswer },
  headers: SUBMIT_HEADERS,
  errors: SUBMIT_ERRORS,
  handle: ({ body }, request) =>
    submitOne(request, (idempotencyKey, context) => parseSubmission(body, idempotencyKey, context)),
});
