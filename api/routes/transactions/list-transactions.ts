import { z } from 'zod';
import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { entryPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { AFTER_LATE, afterQuery, isAfterLate, presentIf, waitUntilIn } from '../../reads/after.ts';
import { entryView } from '../../views/ledger.ts';
import { listReply, noParams, orderedPageQuery } from '../../http/list.ts';

const ENTRY_ID = /^op_[0-9a-f]{32}\.\d{1,6}$/;

export const listTransactions = defineEndpoint({
  method: 'GET',
  path: '/v1/transactions',
  scope: 'ledger:read',
  summary:
    'All entries of the ledger, by the time at which they were written, newest first; of one user ' +
    'by userId',
  input: {
    params: noParams,
    query: z
      .strictObject({
        ...orderedPageQuery,
        ...afterQuery,
        userId: userIdParameter.exactOptional(),
      })
      .refine((query) => !isAfterLate(query), AFTER_LATE),
    body: noBody,
  },
  output: { 200: entryPage },
  handle: async ({ query }, request) => {
    const { services, tenant } = request;
    const { limit: _limit, cursor: _cursor, order: _order, after, ...filter } = query;
    await waitUntilIn(request, after);
    return listReply(
      {
        list: 'transactions',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, (id) => ENTRY_ID.test(id)) !== undefined,
        read: (page) => services.ledger(tenant).entries(filter, presentIf(after, page)),
        view: entryView,
      },
      query,
    );
  },
});
