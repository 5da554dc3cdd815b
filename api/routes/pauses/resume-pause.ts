import { z } from 'zod';
import { pauseSchema } from '../../contract/steering.ts';
import { SERVICE_CONFIG_LIMITS } from '../../../config/service-config-limits.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { pauseReason } from './add-pause.ts';
import { foundPause, ownTenantOf, pauseView } from './pause-view.ts';

const body = z.strictObject({
  reason: pauseReason,
  /** What was held back is let in at that pace; by default at once. */
  perSecond: z.int().min(1).max(SERVICE_CONFIG_LIMITS.perSecondMax).exactOptional(),
});

export const resumePause = defineEndpoint({
  method: 'POST',
  path: '/v1/pauses/:id/resume',
  scope: 'admin',
  summary:
    'Ends a pause: what comes goes on at once, what was held back in the order of acceptance',
  input: { params: idParams, query: noQuery, body: schemaBody(body) },
  output: { 200: pauseSchema },
  headers: { idempotencyKey: 'required' },
  handle: async ({ params: { id }, body: { reason, perSecond } }, request) => {
    const { services, keyId } = request;
    request.idempotencyKey(); // as above: one that is over stays so
    const pause = foundPause(request, await services.pauses.find(id));
    const madeBy = ownTenantOf(request);
    if (madeBy !== undefined && pause.madeBy !== madeBy) {
      throw new AppError('forbidden', 'Those who run the installation have made it, and end it');
    }
    const resumed = await services.pauses.resume({
      ...{ id, reason, author: `key:${keyId}` },
      ...(madeBy !== undefined && { madeBy }),
      ...(perSecond !== undefined && { perSecond }),
    });
    return found(pauseView(resumed));
  },
});
