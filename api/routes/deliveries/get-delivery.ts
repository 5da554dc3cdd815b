import { deliverySchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { deliveryView } from '../../views/notification.ts';

export const getDelivery = defineEndpoint({
  method: 'GET',
  path: '/v1/deliveries/:id',
  scope: 'notifications:admin',
  summary: 'One delivery with every attempt',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: deliverySchema },
  handle: async ({ params }, { services, tenant }) => {
    const delivery = await services.notifications(tenant).deliveries.find(params.id);
    return found(deliveryView(foundOr404(delivery, 'delivery')));
  },
});
