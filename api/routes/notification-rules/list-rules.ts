import { EVENT_RULES, RULED_EVENTS } from '../../../core/notifications/routing/event-rules.ts';
import { rulesSchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';

export const listRules = defineEndpoint({
  method: 'GET',
  path: '/v1/notification-rules',
  scope: 'notifications:admin',
  summary: 'Which events users are told about: your own rules, and what is built in',
  input: { params: noParams, query: noQuery, body: noBody },
  output: { 200: rulesSchema },
  handle: async (_input, { services, tenant }) => {
    const own = await services.notifications(tenant).rules.ofTenant(tenant.tenantId);
    return found({
      items: own.map(({ event, channels, updatedAt }) => ({
        event,
        channels,
        updatedAt: updatedAt.toISOString(),
      })),
      builtIn: RULED_EVENTS.map((event) => {
        const { category, channels } = EVENT_RULES[event];
        return { event, category, channels };
      }),
    });
  },
});
