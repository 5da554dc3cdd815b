import { z } from 'zod';
import { isFinal } from '../../../core/notifications/delivery.ts';
import { schemaBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { noParams, noQuery } from '../../list.ts';
import { deliveryFilter } from './delivery-filter.ts';

const body = z
  .strictObject({
    filter: z.strictObject({
      ...deliveryFilter,
      status: deliveryFilter.status
        .unwrap()
        .refine(isFinal, 'must be a final one: what is under way is not replayed'),
    }),
    dryRun: z.boolean().exactOptional(),
  })
  .refine(({ filter }) => Object.keys(filter).length > 1, {
    path: ['filter'],
    message: 'must have something beside the status',
  });

export const replayDeliveries = defineEndpoint({
  method: 'POST',
  path: '/v1/deliveries/replay',
  scope: 'notifications:admin',
  summary:
    'Sends deliveries again by `filter` (`status` and something beside it), up to 10,000 of them; ' +
    '`dryRun: true` counts them',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  handle: async ({ body: { filter, dryRun = false } }, { services, tenant }) =>
    found(await services.notifications(tenant).deliveries.replay(filter, { dryRun })),
});
