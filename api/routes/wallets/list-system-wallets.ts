import { noBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { systemWalletView } from '../../ledger-views.ts';
import { noParams, noQuery } from '../../list.ts';

export const listSystemWallets = defineEndpoint({
  method: 'GET',
  path: '/v1/system-wallets',
  scope: 'ledger:read',
  summary: 'The other side of credits, debits, fees and bonuses, by name and currency',
  input: { params: noParams, query: noQuery, body: noBody },
  handle: async (_input, { services, tenant }) => {
    const sums = await services.ledger(tenant).systemWallets();
    return found({ items: sums.map(systemWalletView), nextCursor: null });
  },
});
