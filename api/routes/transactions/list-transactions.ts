import { z } from 'zod';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { entryView } from '../../ledger-views.ts';
import { listReply, noParams, pageQuery } from '../../list.ts';

const ENTRY_ID = /^op_[0-9a-f]{32}\.\d{1,6}$/;

export const listTransactions = defineEndpoint({
  method: 'GET',
  path: '/v1/transactions',
  scope: 'ledger:read',
  summary:
    'All entries of the ledger, by the time at which their operation was accepted, newest first; of ' +
    'one user by userId',
  input: {
    params: noParams,
    query: z.strictObject({ ...pageQuery, userId: userIdParameter.exactOptional() }),
    body: noBody,
  },
  handle: ({ query: { limit, cursor, ...filter } }, { services, tenant }) =>
    listReply(
      {
        list: 'transactions',
        keyOf: ({ _id }) => _id,
        isKey: (text) => ENTRY_ID.test(text),
        read: (page) => services.ledger(tenant).entries(filter, page),
        view: entryView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    ),
});
