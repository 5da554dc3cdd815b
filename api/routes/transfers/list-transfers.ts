import { z } from 'zod';
import { originOf } from '../../../core/kernel/ids.ts';
import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { transferPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { AFTER_LATE, afterQuery, isAfterLate, presentIf, waitUntilIn } from '../../reads/after.ts';
import { transferView } from '../../views/ledger.ts';
import { listReply, noParams, orderedPageQuery } from '../../http/list.ts';

const isTransferId = (text: string): boolean => originOf('trf', text) !== undefined;

export const listTransfers = defineEndpoint({
  method: 'GET',
  path: '/v1/transfers',
  scope: 'ledger:read',
  summary: 'Transfers, newest first, by fromUserId, toUserId, or userId on either side',
  input: {
    params: noParams,
    query: z
      .strictObject({
        ...orderedPageQuery,
        ...afterQuery,
        fromUserId: userIdParameter.exactOptional(),
        toUserId: userIdParameter.exactOptional(),
        userId: userIdParameter.exactOptional(),
      })
      .refine((query) => !isAfterLate(query), AFTER_LATE),
    body: noBody,
  },
  output: { 200: transferPage },
  handle: async ({ query }, request) => {
    const { services, tenant } = request;
    const { limit: _limit, cursor: _cursor, order: _order, after, ...filter } = query;
    await waitUntilIn(request, after);
    return listReply(
      {
        list: 'transfers',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, isTransferId) !== undefined,
        read: (page) => services.ledger(tenant).transfers(filter, presentIf(after, page)),
        view: transferView,
      },
      query,
    );
  },
});
