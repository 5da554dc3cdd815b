import { z } from 'zod';
import { timeKeyOf } from '../../../core/kernel/time-order.ts';
import { deliveryPage } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { deliveryListView } from '../../views/notification.ts';
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
  output: { 200: deliveryPage },
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
