import { z } from 'zod';
import { noBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { userView } from '../../ledger-views.ts';
import { foundOr404, noQuery } from '../../list.ts';

export const getUser = defineEndpoint({
  method: 'GET',
  path: '/v1/users/:userId',
  scope: 'ledger:read',
  summary: 'One user',
  input: { params: z.object({ userId: z.string() }), query: noQuery, body: noBody },
  handle: async ({ params }, { services, tenant }) => {
    const user = await services.ledger(tenant).user(params.userId);
    return found(userView(foundOr404(user, 'user')));
  },
});
