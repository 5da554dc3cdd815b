import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { entryView } from '../../ledger-views.ts';
import { listReply, noParams, plainPageQuery } from '../../list.ts';

const ENTRY_ID = /^op_[0-9a-f]{32}\.\d{1,6}$/;

export const listTransactions = defineEndpoint({
  method: 'GET',
  path: '/v1/transactions',
  scope: 'ledger:read',
  summary:
    'All entries of the ledger, by the time at which their operation was accepted, newest first',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  handle: ({ query }, { services, tenant }) =>
    listReply(
      {
        list: 'transactions',
        keyOf: ({ _id }) => _id,
        isKey: (text) => ENTRY_ID.test(text),
        read: (page) => services.ledger(tenant).entries(page),
        view: entryView,
      },
      query,
    ),
});
