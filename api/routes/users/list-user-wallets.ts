import { z } from 'zod';
import { isSystemUser } from '../../../core/ledger/documents.ts';
import { walletPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { queuedQuery, withQueued } from '../../reads/queued.ts';
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
    query: z.strictObject({ ...afterQuery, ...queuedQuery }),
    body: noBody,
  },
  output: { 200: walletPage },
  handle: async ({ params, query }, request) => {
    const { services, tenant } = request;
    await waitUntilIn(request, query.after);
    const ledger = services.ledger(tenant);
    // Those of the system belong to no user. Of anybody else's there is a user: one look-up is enough.
    const { userId } = params;
    const read = async () => (isSystemUser(userId) ? [] : ledger.walletsOf(userId));
    const { wallets, viewOf } =
      query.include === undefined
        ? { wallets: await read(), viewOf: () => ({}) }
        : await withQueued(request, userId, read);
    if (wallets.length === 0) foundOr404(await ledger.user(userId), 'user');
    return found({
      items: wallets.map((wallet) => ({ ...walletView(wallet), ...viewOf(wallet) })),
      nextCursor: null,
    });
  },
});
