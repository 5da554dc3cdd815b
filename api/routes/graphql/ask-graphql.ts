import { z } from 'zod';
import { GRAPHQL_LIMITS } from '../../../config/graphql-limits.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { json } from '../../contract/parts.ts';

const question = z.strictObject({
  query: z.string().min(1).max(GRAPHQL_LIMITS.queryCharsMax),
  operationName: z.string().max(200).nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z.unknown().optional(),
});

const answer = z
  .strictObject({ data: json.exactOptional(), errors: z.array(json).exactOptional() })
  .meta({ id: 'GraphqlAnswer', description: 'GraphQL over HTTP: data, errors, or both' });

export const askGraphql = defineEndpoint({
  method: 'POST',
  path: '/graphql',
  id: 'askGraphql',
  scope: 'ledger:read',
  limit: 'read',
  summary:
    'Reads in GraphQL: users, wallets, transactions, transfers, holds, operations and deliveries; ' +
    'each field has the rights and the errors of the endpoint that says the same',
  input: { params: noParams, query: noQuery, body: schemaBody(question) },
  output: { 200: answer },
  handle: async ({ body: { query, operationName, variables } }, context) =>
    found(await context.services.graphql({ query, operationName, variables }, context)),
});
