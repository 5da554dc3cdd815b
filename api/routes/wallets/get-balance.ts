import { z } from 'zod';
import { instant } from '../../../core/operations/inputs.ts';
import { balanceAtSchema, balanceSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { balanceAtView, balanceView } from '../../views/ledger.ts';
import { foundOr404, idParams } from '../../http/list.ts';

export const getBalance = defineEndpoint({
  method: 'GET',
  path: '/v1/wallets/:id/balance',
  scope: 'ledger:read',
  summary: 'The balances of a wallet, now or (`?at=`) as the log had them at a time',
  input: {
    params: idParams,
    query: z.strictObject({ at: instant.transform((text) => new Date(text)).exactOptional() }),
    body: noBody,
  },
  output: { 200: z.union([balanceSchema, balanceAtSchema]) },
  handle: async ({ params, query }, { services, tenant }) => {
    const ledger = services.ledger(tenant);
    const wallet = foundOr404(await ledger.wallet(params.id), 'wallet');
    if (query.at === undefined) return found(balanceView(wallet));
    return found(balanceAtView(wallet, query.at, await ledger.balancesAt(wallet, query.at)));
  },
});
