import { z } from 'zod';
import { originOf } from '../../../core/kernel/ids.ts';
import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { holdPage } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { AFTER_LATE, afterQuery, isAfterLate, presentIf, waitUntilIn } from '../../reads/after.ts';
import { holdView } from '../../views/ledger.ts';
import { listReply, noParams, orderedPageQuery } from '../../http/list.ts';

const isHoldId = (text: string): boolean => originOf('hld', text) !== undefined;

export const listHolds = defineEndpoint({
  method: 'GET',
  path: '/v1/holds',
  scope: 'ledger:read',
  summary: 'Holds, newest first, by userId; of one user also by status',
  input: {
    params: noParams,
    query: z
      .strictObject({
        ...orderedPageQuery,
        ...afterQuery,
        userId: userIdParameter.exactOptional(),
        status: z.enum(['open', 'captured', 'released', 'expired']).exactOptional(),
      })
      // Among all holds a rare status would have to be searched for, among those of a user hardly.
      .refine((query) => query.status === undefined || query.userId !== undefined, {
        path: ['status'],
        message: 'needs userId beside it',
      })
      .refine((query) => !isAfterLate(query), AFTER_LATE),
    body: noBody,
  },
  output: { 200: holdPage },
  handle: async ({ query }, request) => {
    const { services, tenant } = request;
    const { limit: _limit, cursor: _cursor, order: _order, after, ...filter } = query;
    await waitUntilIn(request, after);
    return listReply(
      {
        list: 'holds',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, isHoldId) !== undefined,
        read: (page) => services.ledger(tenant).holds(filter, presentIf(after, page)),
        view: holdView,
      },
      query,
    );
  },
});
