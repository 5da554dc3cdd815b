import { z } from 'zod';
import { OPERATIONS, type OperationType } from '../../../core/operation-types/registry.ts';
import { parseAlias } from '../../../core/ingest/parse-submission.ts';
import { operationAnswer } from '../../contract/operation.ts';
import { aliasBody } from '../../contract/submissions.ts';
import { jsonBody, optionalJsonBody } from '../../http/body.ts';
import { type Endpoint, defineEndpoint } from '../../http/endpoint.ts';
import { noQuery } from '../../http/list.ts';
import { SUBMIT_ERRORS, SUBMIT_HEADERS, submitOne } from '../../writes/submit.ts';

/** A path of its own for an operation type; its body is the bare input. */
interface Alias {
  readonly path: string;
  readonly type: OperationType;
  /** The input field that `:id` in the path states. */
  readonly idField?: string;
}

/** One line each. */
const ALIASES: readonly Alias[] = [
  { path: '/v1/users', type: 'user.create' },
  { path: '/v1/wallets', type: 'wallet.open' },
  { path: '/v1/credits', type: 'wallet.credit' },
  { path: '/v1/debits', type: 'wallet.debit' },
  { path: '/v1/transfers', type: 'transfer' },
  { path: '/v1/transfers/:id/reverse', type: 'transfer.reverse', idField: 'transferId' },
  { path: '/v1/holds', type: 'hold.place' },
  { path: '/v1/holds/:id/capture', type: 'hold.capture', idField: 'holdId' },
  { path: '/v1/holds/:id/release', type: 'hold.release', idField: 'holdId' },
  { path: '/v1/bonuses', type: 'bonus.award' },
  { path: '/v1/deposits', type: 'deposit' },
  { path: '/v1/withdrawals', type: 'withdrawal' },
  { path: '/v1/notifications', type: 'notification.send' },
];

export const aliasEndpoints: readonly Endpoint[] = ALIASES.map(({ path, type, idField }) =>
  defineEndpoint({
    method: 'POST',
    path,
    scope: 'operations:write',
    isByType: true,
    summary: `Accepts a \`${type}\`: its bare input, with the optional fields beside it`,
    input: {
      params: z.object({ id: z.string().exactOptional() }),
      query: noQuery,
      body: {
        ...(idField === undefined ? jsonBody : optionalJsonBody),
        schema: aliasBody(OPERATIONS[type], idField),
      },
    },
    output: { 200: operationAnswer, 202: operationAnswer },
    headers: SUBMIT_HEADERS,
    errors: SUBMIT_ERRORS,
    alias: { type, ...(idField !== undefined && { idField }) },
    handle: ({ params, body }, request) => {
      const fixed =
        idField === undefined || params.id === undefined ? {} : { [idField]: params.id };
      return submitOne(request, (idempotencyKey, context) =>
        parseAlias({ definition: OPERATIONS[type], raw: body, fixed, idempotencyKey }, context),
      );
    },
  }),
);
