import { z } from 'zod';
import { walletSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { walletView } from '../../views/ledger.ts';
import { idParams } from '../../http/list.ts';
import {
  TOO_OLD,
  consistencyQuery,
  isTooOld,
  readWallet,
  readWalletQueued,
} from '../../reads/consistency.ts';
import { NOT_CACHED, queuedQuery } from '../../reads/queued.ts';
import { afterQuery } from '../../reads/after.ts';

const query = z
  .strictObject({ ...consistencyQuery, ...afterQuery, ...queuedQuery })
  .refine((how) => !isTooOld(how), TOO_OLD)
  .refine(
    ({ include, consistency }) => include === undefined || consistency !== 'cached',
    NOT_CACHED,
  );

export const getWallet = defineEndpoint({
  method: 'GET',
  path: '/v1/wallets/:id',
  scope: 'ledger:read',
  summary: 'One wallet with its balances and lifetime totals',
  input: { params: idParams, query, body: noBody },
  output: { 200: walletSchema },
  handle: async ({ params, query: how }, request) => {
    if (how.include !== undefined) {
      const { wallet, queued } = await readWalletQueued(request, { ...params, ...how });
      return found({ ...walletView(wallet), ...queued });
    }
    const { wallet, headers } = await readWallet(request, { ...params, ...how });
    return { ...found(walletView(wallet)), headers };
  },
});
