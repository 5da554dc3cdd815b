import { z } from 'zod';
import { RULED_EVENTS } from '../../../core/notifications/routing/event-rules.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { ruleSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { noteDeed } from '../../writes/note-deed.ts';

const told = z.enum(CHANNELS).exclude(['webhook', 'realtime']);

const body = z.strictObject({
  event: z.enum(RULED_EVENTS),
  channels: z.array(told).max(CHANNELS.length).nullable(),
});

export const putRule = defineEndpoint({
  method: 'PUT',
  path: '/v1/notification-rules',
  scope: 'notifications:admin',
  summary:
    'Says on which channels users are told about an event: `[]` for none, `null` for what is built in',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  output: { 200: ruleSchema },
  handle: async ({ body: { event, channels } }, request) => {
    const { services, tenant } = request;
    const { rules } = services.notifications(tenant);
    const { tenantId } = tenant;
    const stood = (await rules.ofTenant(tenantId)).find((rule) => rule.event === event);
    if (channels === null) await rules.remove(tenantId, event);
    else await rules.put({ tenantId, event, channels: [...new Set(channels)] });
    await noteDeed(request, {
      action: 'notification-rule.put',
      targetId: event,
      before: { channels: stood?.channels ?? null },
      after: { channels },
    });
    return found({ event, channels });
  },
});
