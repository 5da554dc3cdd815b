import { z } from 'zod';
import { userSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { userView } from '../../views/ledger.ts';
import { foundOr404, noQuery } from '../../http/list.ts';

export const getUser = defineEndpoint({
  method: 'GET',
  path: '/v1/users/:userId',
  scope: 'ledger:read',
  summary: 'One user',
  input: { params: z.object({ userId: z.string() }), query: noQuery, body: noBody },
  output: { 200: userSchema },
  handle: async ({ params }, { services, tenant }) => {
    const user = await services.ledger(tenant).user(params.userId);
    return found(userView(foundOr404(user, 'user')));
  },
});
