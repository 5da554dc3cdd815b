import { z } from 'zod';
import { instant } from '../../../core/operations/inputs.ts';
import { balanceAtSchema, balanceSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams } from '../../http/list.ts';
import { afterQuery } from '../../reads/after.ts';
import {
  TOO_OLD,
  consistencyQuery,
  isTooOld,
  readWallet,
  readWalletQueued,
} from '../../reads/consistency.ts';
import { NOT_CACHED, queuedQuery } from '../../reads/queued.ts';
import { balanceAtView, balanceView } from '../../views/ledger.ts';

const query = z
  .strictObject({
    at: instant.transform((text) => new Date(text)).exactOptional(),
    ...consistencyQuery,
    ...afterQuery,
    ...queuedQuery,
  })
  .refine((how) => !isTooOld(how), TOO_OLD)
  .refine(
    ({ include, consistency }) => include === undefined || consistency !== 'cached',
    NOT_CACHED,
  )
  .refine(({ at, include }) => at === undefined || include === undefined, {
    path: ['include'],
    message: 'is of now: leave `at` out',
  })
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
    'waits until that operation is in them, `?consistency=cached` takes those of a moment ago, `?include=queued` adds what waits',
  input: { params: idParams, query, body: noBody },
  output: { 200: z.union([balanceSchema, balanceAtSchema]) },
  handle: async ({ params, query: { at, ...how } }, request) => {
    if (how.include !== undefined) {
      const { wallet, queued } = await readWalletQueued(request, { ...params, ...how });
      return found({ ...balanceView(wallet), ...queued });
    }
    if (at === undefined) {
      const { wallet, headers } = await readWallet(request, { ...params, ...how });
      return { ...found(balanceView(wallet)), headers };
    }
    const { wallet } = await readWallet(request, { ...params, ...how, consistency: 'strong' });
    const { services, tenant } = request;
    return found(balanceAtView(wallet, at, await services.ledger(tenant).balancesAt(wallet, at)));
  },
});
