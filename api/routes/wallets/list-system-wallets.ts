import { systemWalletPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { systemWalletView } from '../../views/ledger.ts';
import { noParams, noQuery } from '../../http/list.ts';

export const listSystemWallets = defineEndpoint({
  method: 'GET',
  path: '/v1/system-wallets',
  scope: 'ledger:read',
  summary: 'The other side of credits, debits, fees and bonuses, by name and currency',
  input: { params: noParams, query: noQuery, body: noBody },
  output: { 200: systemWalletPage },
  handle: async (_input, { services, tenant }) => {
    const sums = await services.ledger(tenant).systemWallets();
    return found({ items: sums.map(systemWalletView), nextCursor: null });
  },
});
