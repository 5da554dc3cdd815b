import { z } from 'zod';
import { timeKeyOf } from '../../../core/kernel/time-order.ts';
import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { listReply, noParams, pageQuery } from '../../list.ts';
import { deliveryListView } from '../../notification-views.ts';
import { deliveryFilter, isDeliveryKey } from './delivery-filter.ts';

export const listDeliveries = defineEndpoint({
  method: 'GET',
  path: '/v1/deliveries',
  scope: 'notifications:admin',
  summary:
    'Deliveries, newest first, by status, channel, userId, operationId, endpointId, createdAfter ' +
    'and createdBefore',
  input: {
    params: noParams,
    query: z.strictObject({ ...pageQuery, ...deliveryFilter }),
    body: noBody,
  },
  handle: ({ query: { limit, cursor, ...filter } }, { services, tenant }) =>
    listReply(
      {
        list: 'deliveries',
        keyOf: timeKeyOf,
        isKey: isDeliveryKey,
        read: (page) => services.notifications(tenant).deliveries.list(filter, page),
        view: deliveryListView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    ),
});
