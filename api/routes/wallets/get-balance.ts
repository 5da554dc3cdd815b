import { z } from 'zod';
import { instant } from '../../../core/operations/inputs.ts';
import { balanceAtSchema, balanceSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams } from '../../http/list.ts';
import { afterQuery } from '../../reads/after.ts';
import { TOO_OLD, consistencyQuery, isTooOld, readWallet } from '../../reads/consistency.ts';
import { balanceAtView, balanceView } from '../../views/ledger.ts';

const query = z
  .strictObject({
    at: instant.transform((text) => new Date(text)).exactOptional(),
    ...consistencyQuery,
    ...afterQuery,
  })
  .refine((how) => !isTooOld(how), TOO_OLD)
  .refine(({ at, consistency }) => at === undefined || consistency !== 'cached', {
    path: ['at'],
    message: 'is read from the log, which no cache has: leave consistency=cached out',
  });

export const getBalance = defineEndpoint({
  method: 'GET',
  path: '/v1/wallets/:id/balance',
  scope: 'ledger:read',
  summary:
    'The balances of a wallet, now or (`?at=`) as the log had them at a time; `?after=<operationId>` ' +
    'waits until that operation is in them, `?consistency=cached` takes those of a moment ago',
  input: { params: idParams, query, body: noBody },
  output: { 200: z.union([balanceSchema, balanceAtSchema]) },
  handle: async ({ params, query: { at, ...how } }, request) => {
    if (at === undefined) {
      const { wallet, headers } = await readWallet(request, { ...params, ...how });
      return { ...found(balanceView(wallet)), headers };
    }
    const { wallet } = await readWallet(request, { ...params, ...how, consistency: 'strong' });
    const { services, tenant } = request;
    return found(balanceAtView(wallet, at, await services.ledger(tenant).balancesAt(wallet, at)));
  },
});
