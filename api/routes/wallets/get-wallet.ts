import { walletSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { walletView } from '../../views/ledger.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';

export const getWallet = defineEndpoint({
  method: 'GET',
  path: '/v1/wallets/:id',
  scope: 'ledger:read',
  summary: 'One wallet with its balances and lifetime totals',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: walletSchema },
  handle: async ({ params }, { services, tenant }) => {
    const wallet = await services.ledger(tenant).wallet(params.id);
    return found(walletView(foundOr404(wallet, 'wallet')));
  },
});
