import { z } from 'zod';
import { walletPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { walletView } from '../../views/ledger.ts';
import { foundOr404, noQuery } from '../../http/list.ts';

export const listUserWallets = defineEndpoint({
  method: 'GET',
  path: '/v1/users/:userId/wallets',
  scope: 'ledger:read',
  summary: 'All wallets of a user, by currency',
  input: { params: z.object({ userId: z.string() }), query: noQuery, body: noBody },
  output: { 200: walletPage },
  handle: async ({ params }, { services, tenant }) => {
    const ledger = services.ledger(tenant);
    foundOr404(await ledger.user(params.userId), 'user');
    const wallets = await ledger.walletsOf(params.userId);
    return found({ items: wallets.map(walletView), nextCursor: null });
  },
});
