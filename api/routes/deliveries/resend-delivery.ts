import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { idParams, noQuery } from '../../list.ts';
import { deliveryView } from '../../notification-views.ts';

export const resendDelivery = defineEndpoint({
  method: 'POST',
  path: '/v1/deliveries/:id/resend',
  scope: 'notifications:admin',
  summary: 'Sends one delivery again, under the same id and with all its attempts anew',
  input: { params: idParams, query: noQuery, body: noBody },
  handle: async ({ params }, { services, tenant }) => {
    const delivery = await services.notifications(tenant).deliveries.resend(params.id);
    return { status: 202, body: deliveryView(delivery) };
  },
});
