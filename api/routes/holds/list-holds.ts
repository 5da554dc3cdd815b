import { z } from 'zod';
import { originOf } from '../../../core/kernel/ids.ts';
import { userIdParameter } from '../../../core/operations/inputs.ts';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { holdView } from '../../ledger-views.ts';
import { listReply, noParams, pageQuery } from '../../list.ts';

export const listHolds = defineEndpoint({
  method: 'GET',
  path: '/v1/holds',
  scope: 'ledger:read',
  summary: 'Holds, newest first, by userId; of one user also by status',
  input: {
    params: noParams,
    query: z
      .strictObject({
        ...pageQuery,
        userId: userIdParameter.exactOptional(),
        status: z.enum(['open', 'captured', 'released', 'expired']).exactOptional(),
      })
      // Among all holds a rare status would have to be searched for, among those of a user hardly.
      .refine((query) => query.status === undefined || query.userId !== undefined, {
        path: ['status'],
        message: 'needs userId beside it',
      }),
    body: noBody,
  },
  handle: ({ query: { limit, cursor, ...filter } }, { services, tenant }) =>
    listReply(
      {
        list: 'holds',
        keyOf: ({ _id }) => _id,
        isKey: (text) => originOf('hld', text) !== undefined,
        read: (page) => services.ledger(tenant).holds(filter, page),
        view: holdView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    ),
});
