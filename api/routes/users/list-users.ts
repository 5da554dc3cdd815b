import { userId } from '../../../core/operations/inputs.ts';
import { userPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { userView } from '../../views/ledger.ts';
import { listReply, noParams, plainPageQuery } from '../../http/list.ts';

export const listUsers = defineEndpoint({
  method: 'GET',
  path: '/v1/users',
  scope: 'ledger:read',
  summary: 'All users, by id',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  output: { 200: userPage },
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
