import { noBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { idParams, noQuery } from '../../list.ts';
import { deliveryView } from '../../notification-views.ts';

export const resendDelivery = defineEndpoint({
  method: 'POST',
  path: '/v1/deliveries/:id/resend',
  scope: 'notifications:admin',
  summary:
    'Sends one delivery again, under the same id and with all its attempts anew; under an ' +
    '`Idempotency-Key` once, however often it is asked for',
  input: { params: idParams, query: noQuery, body: noBody },
  handle: async ({ params }, { services, tenant, idempotencyKeyIfAny }) => {
    const { deliveries } = services.notifications(tenant);
    const { result, isRepeat } = await deliveries.resend(params.id, idempotencyKeyIfAny());
    const headers = isRepeat ? { 'Idempotent-Replayed': 'true' } : {};
    return { status: 202, headers, body: deliveryView(result) };
  },
});
