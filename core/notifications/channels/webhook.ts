import { defineChannel } from './channel.ts';
import { signingSecrets } from '../webhooks/webhook-endpoint.ts';

/** The body is the same on every attempt; the receiver tells repeats by `webhook-id`. */
export const webhook = defineChannel({
  name: 'webhook',
  hasTemplate: false,
  message: ({ delivery, endpoint, now }) => {
    if (endpoint === undefined) return undefined;
    const { event, operationId, data } = delivery;
    return {
      url: endpoint.url,
      secrets: signingSecrets(endpoint, now),
      id: delivery._id,
      body: JSON.stringify({
        id: event.id,
        type: event.name,
        timestamp: event.at.toISOString(),
        ...(operationId !== undefined && { operationId }),
        data,
      }),
    };
  },
});
