import { holdSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { holdView } from '../../views/ledger.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';

export const getHold = defineEndpoint({
  method: 'GET',
  path: '/v1/holds/:id',
  scope: 'ledger:read',
  summary: 'One hold, and how much of it is left',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: holdSchema },
  handle: async ({ params }, { services, tenant }) => {
    const hold = await services.ledger(tenant).hold(params.id);
    return found(holdView(foundOr404(hold, 'hold')));
  },
});
