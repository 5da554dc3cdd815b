import { transferSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { transferView } from '../../views/ledger.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';

export const getTransfer = defineEndpoint({
  method: 'GET',
  path: '/v1/transfers/:id',
  scope: 'ledger:read',
  summary: 'One transfer, and how much of it has been reversed',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: transferSchema },
  handle: async ({ params }, { services, tenant }) => {
    const transfer = await services.ledger(tenant).transfer(params.id);
    return found(transferView(foundOr404(transfer, 'transfer')));
  },
});
