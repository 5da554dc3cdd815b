import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { suppressionIdOf } from '../../../core/notifications/suppressions/suppression.ts';
import { suppressionSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { suppressionView } from '../../views/notification.ts';
import { noteDeed } from '../../writes/note-deed.ts';

const body = z.strictObject({
  channel: z.enum(CHANNELS).exclude(['webhook', 'realtime']),
  address: z.string().trim().min(1).max(4_096),
  reason: z.string().min(1).max(LIMITS.descriptionCharsMax).exactOptional(),
});

export const addSuppression = defineEndpoint({
  method: 'POST',
  path: '/v1/suppressions',
  scope: 'notifications:admin',
  summary: 'Sends nothing to an address any more; repeating it is harmless',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  output: { 201: suppressionSchema },
  handle: async ({ body: { channel, address, reason = 'manual' } }, request) => {
    const { services, tenant } = request;
    const { tenantId } = tenant;
    const { suppressions, databaseTime } = services.notifications(tenant);
    const entry = await suppressions.add({
      _id: suppressionIdOf(tenantId, channel, address),
      ...{ tenantId, channel, address, reason },
      createdAt: (await databaseTime()).now,
    });
    const after = suppressionView(entry);
    await noteDeed(request, { action: 'suppression.add', targetId: entry._id, after });
    return { status: 201, body: after };
  },
});
