import { z } from 'zod';
import { originOf } from '../../../core/kernel/ids.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { transferView } from '../../ledger-views.ts';
import { listReply, noParams, pageQuery } from '../../list.ts';

export const listTransfers = defineEndpoint({
  method: 'GET',
  path: '/v1/transfers',
  scope: 'ledger:read',
  summary: 'Transfers, newest first, by fromUserId, toUserId, or userId on either side',
  input: {
    params: noParams,
    query: z.strictObject({
      ...pageQuery,
      fromUserId: userIdParameter.exactOptional(),
      toUserId: userIdParameter.exactOptional(),
      userId: userIdParameter.exactOptional(),
    }),
    body: noBody,
  },
  handle: ({ query: { limit, cursor, ...filter } }, { services, tenant }) =>
    listReply(
      {
        list: 'transfers',
        keyOf: ({ _id }) => _id,
        isKey: (text) => originOf('trf', text) !== undefined,
        read: (page) => services.ledger(tenant).transfers(filter, page),
        view: transferView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    ),
});
