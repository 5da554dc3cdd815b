import { z } from 'zod';
import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { entryPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
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
    query: z.strictObject({ ...orderedPageQuery, userId: userIdParameter.exactOptional() }),
    body: noBody,
  },
  output: { 200: entryPage },
  handle: ({ query }, { services, tenant }) => {
    const { limit: _limit, cursor: _cursor, order: _order, ...filter } = query;
    return listReply(
      {
        list: 'transactions',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, (id) => ENTRY_ID.test(id)) !== undefined,
        read: (page) => services.ledger(tenant).entries(filter, page),
        view: entryView,
      },
      query,
    );
  },
});
