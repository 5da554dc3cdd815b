import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { instant } from '../../../core/operations/inputs.ts';
import { removedSchema } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { noParams } from '../../http/list.ts';
import { noteDeed } from '../../writes/note-deed.ts';

const time = instant.transform((text) => new Date(text));

const query = z.strictObject({
  reason: z.string().min(1).max(LIMITS.descriptionCharsMax),
  channel: z.enum(CHANNELS).exclude(['webhook', 'realtime']).exactOptional(),
  createdAfter: time.exactOptional(),
  createdBefore: time.exactOptional(),
});

/** For a mistake that has put many on the list: a wrong key of a push service, a broken import. */
export const removeSuppressions = defineEndpoint({
  method: 'DELETE',
  path: '/v1/suppressions',
  scope: 'notifications:admin',
  summary:
    'Takes all addresses of a `reason` off the suppression list, also by channel, createdAfter and ' +
    'createdBefore; up to 10,000 at a time',
  input: { params: noParams, query, body: noBody },
  output: { 200: removedSchema },
  handle: async ({ query: filter }, request) => {
    const { services, tenant } = request;
    const { suppressions } = services.notifications(tenant);
    const max = LIMITS.suppressionsRemovedMax;
    const removed = await suppressions.removeMany(tenant.tenantId, filter, max);
    await noteDeed(request, {
      action: 'suppression.remove-many',
      targetId: filter.reason,
      after: { filter, removed },
    });
    return found({ removed, isComplete: removed < max });
  },
});
