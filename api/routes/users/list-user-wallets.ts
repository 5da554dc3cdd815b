import { z } from 'zod';
import { isSystemUser } from '../../../core/ledger/documents.ts';
import { walletPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { walletView } from '../../views/ledger.ts';
import { afterQuery, waitUntilIn } from '../../reads/after.ts';
import { foundOr404 } from '../../http/list.ts';

export const listUserWallets = defineEndpoint({
  method: 'GET',
  path: '/v1/users/:userId/wallets',
  scope: 'ledger:read',
  summary: 'All wallets of a user, by currency',
  input: {
    params: z.object({ userId: z.string() }),
    query: z.strictObject(afterQuery),
    body: noBody,
  },
  output: { 200: walletPage },
  handle: async ({ params, query }, request) => {
    const { services, tenant } = request;
    await waitUntilIn(request, query.after);
    const ledger = services.ledger(tenant);
    // Those of the system belong to no user. Of anybody else's there is a user: one look-up is enough.
    const wallets = isSystemUser(params.userId) ? [] : await ledger.walletsOf(params.userId);
    if (wallets.length === 0) foundOr404(await ledger.user(params.userId), 'user');
    return found({ items: wallets.map(walletView), nextCursor: null });
  },
});
