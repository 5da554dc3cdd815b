import { deliverySchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { deliveryView } from '../../views/notification.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const resendDelivery = defineEndpoint({
  method: 'POST',
  path: '/v1/deliveries/:id/resend',
  scope: 'notifications:admin',
  summary:
    'Sends one delivery again, under the same id and with all its attempts anew; under an ' +
    '`Idempotency-Key` once, however often it is asked for',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 202: deliverySchema },
  headers: { idempotencyKey: 'optional' },
  errors: ['idempotency_conflict', 'illegal_state'],
  handle: async ({ params }, request) => {
    const { services, tenant } = request;
    const key = request.idempotencyKeyIfAny();
    const { deliveries } = services.notifications(tenant);
    const { result, isRepeat } = await deliveries.resend(params.id, key);
    await noteDeed(request, { action: 'delivery.resend', targetId: params.id, key });
    const headers = isRepeat ? { 'Idempotent-Replayed': 'true' } : {};
    return { status: 202, headers, body: deliveryView(result) };
  },
});
