import { userId } from '../../../core/operations/inputs.ts';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userView } from '../../ledger-views.ts';
import { listReply, noParams, plainPageQuery } from '../../list.ts';

export const listUsers = defineEndpoint({
  method: 'GET',
  path: '/v1/users',
  scope: 'ledger:read',
  summary: 'All users, by id',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  handle: ({ query }, { services, tenant }) =>
    listReply(
      {
        list: 'users',
        keyOf: (user) => user.userId,
        isKey: (text) => userId.safeParse(text).success,
        read: (page) => services.ledger(tenant).users(page),
        view: userView,
      },
      query,
    ),
});
