import { z } from 'zod';
import { entryPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { afterQuery, presentIf, waitUntilIn } from '../../reads/after.ts';
import { entryView } from '../../views/ledger.ts';
import { foundOr404, idParams, listReply, orderedPageQuery } from '../../http/list.ts';

const SEQ = /^[1-9]\d{0,15}$/;

export const listWalletTransactions = defineEndpoint({
  method: 'GET',
  path: '/v1/wallets/:id/transactions',
  scope: 'ledger:read',
  summary: 'The entries of a wallet, newest first',
  input: {
    params: idParams,
    query: z.strictObject({ ...orderedPageQuery, ...afterQuery }),
    body: noBody,
  },
  output: { 200: entryPage },
  handle: async ({ params, query: { after, ...query } }, request) => {
    const { services, tenant } = request;
    await waitUntilIn(request, after);
    const ledger = services.ledger(tenant);
    const wallet = foundOr404(await ledger.wallet(params.id), 'wallet');
    return listReply(
      {
        list: `wallet-transactions/${wallet._id}`,
        keyOf: ({ seq }) => String(seq),
        isKey: (text) => SEQ.test(text),
        read: (page) => ledger.entriesOfWallet(wallet._id, presentIf(after, page)),
        view: entryView,
      },
      query,
    );
  },
});
