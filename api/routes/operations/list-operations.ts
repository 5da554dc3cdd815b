import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { isOperationId } from '../../../core/kernel/ids.ts';
import { checkIdempotencyKey } from '../../../core/ingest/idempotency-key.ts';
import { instant, userIdParameter } from '../../../core/operations/inputs.ts';
import { OPERATION_TYPES } from '../../../core/operation-types/registry.ts';
import type { OperationFilter } from '../../../core/operations/operation-filter.ts';
import { STATUSES } from '../../../core/operations/status.ts';
import { afterQuery, presentIf, waitUntilIn } from '../../reads/after.ts';
import { operationPage } from '../../contract/operation.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { operationListView } from '../../views/operation.ts';
import { noneFails } from '../../../core/kernel/every.ts';

const METADATA = /^metadata\.([A-Za-z0-9][A-Za-z0-9_-]{0,39})$/;

const idsText = `must be 1 to ${LIMITS.listLimitMax} operation ids, separated by commas`;
const ids = z
  .string()
  .transform((text) => text.split(','))
  .refine((list) => list.length <= LIMITS.listLimitMax && noneFails(list, isOperationId), idsText);

const idempotencyKey = z.string().transform((text, ctx): string => {
  const key = checkIdempotencyKey(text);
  if (key.ok) return key.value;
  ctx.addIssue({ code: 'custom', message: 'is not a key that a request can have' });
  return z.NEVER;
});

const time = instant.transform((text) => new Date(text));

/** `metadata.<key>=<value>` is any number of parameters, so it is gathered first. */
const query = z.preprocess(
  gatherMetadata,
  z.strictObject({
    ...pageQuery,
    ...afterQuery,
    type: z.enum(OPERATION_TYPES).exactOptional(),
    status: z.enum(STATUSES).exactOptional(),
    userId: userIdParameter.exactOptional(),
    ids: ids.exactOptional(),
    idempotencyKey: idempotencyKey.exactOptional(),
    createdAfter: time.exactOptional(),
    createdBefore: time.exactOptional(),
    metadata: z
      .record(z.string(), z.string().max(LIMITS.metadataValueCharsMax))
      .refine((wanted) => Object.keys(wanted).length <= 5, 'may name at most 5 keys')
      .exactOptional(),
  }),
);

function gatherMetadata(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null) return raw;
  const metadata: [string, unknown][] = [];
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(raw)) {
    const key = METADATA.exec(name)?.[1];
    if (key !== undefined) metadata.push([key, value]);
    // `metadata` is only ours to give; as a parameter it has a key behind a dot.
    else others.push([name === 'metadata' ? 'metadata.' : name, value]);
  }
  if (metadata.length > 0) others.push(['metadata', Object.fromEntries(metadata)]);
  return Object.fromEntries(others); // defines, never assigns: `__proto__` stays a name
}

export const listOperations = defineEndpoint({
  method: 'GET',
  path: '/v1/operations',
  scope: 'ledger:read',
  summary:
    'Operations, newest first, by type, status, userId (as userId, fromUserId or toUserId of the ' +
    'input), ids, idempotencyKey, metadata.<key>, createdAfter and createdBefore; batches without ' +
    'their input',
  input: { params: noParams, query, body: noBody },
  output: { 200: operationPage },
  handle: async ({ query: { limit, cursor, after, ...rest } }, request) => {
    const { services, tenant } = request;
    await waitUntilIn(request, after);
    const filter: OperationFilter = rest;
    // Whoever names ids wants them all on one page.
    const size = limit ?? filter.ids?.length;
    return listReply(
      {
        list: 'operations',
        read: (page) => services.operations(tenant).list(filter, presentIf(after, page)),
        keyOf: ({ _id }) => _id,
        isKey: isOperationId,
        view: (operation) => operationListView(operation, services.registry),
      },
      { ...(size !== undefined && { limit: size }), ...(cursor !== undefined && { cursor }) },
    );
  },
});
