import { z } from 'zod';
import { pauseSchema } from '../../contract/steering.ts';
import { SERVICE_CONFIG_LIMITS } from '../../../config/service-config-limits.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { checkSubject, pauseSubjectSchema } from '../../../core/service-config/pause.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { ownSubject, ownTenantOf, pauseView } from './pause-view.ts';

export const pauseReason = z.string().trim().min(1).max(SERVICE_CONFIG_LIMITS.reasonCharsMax);

const body = z.strictObject({ ...pauseSubjectSchema.shape, reason: pauseReason });

export const addPause = defineEndpoint({
  method: 'POST',
  path: '/v1/pauses',
  scope: 'admin',
  summary:
    'Keeps work of a type, tenant, provider, channel, endpoint or lane waiting; repeating it is harmless',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  output: { 200: pauseSchema, 201: pauseSchema },
  headers: { idempotencyKey: 'required' },
  errors: ['invalid_pause', 'limit_reached', 'illegal_state'],
  handle: async ({ body: { reason, ...asked } }, request) => {
    const { services, keyId } = request;
    request.idempotencyKey(); // required of every write; the subject itself makes a repeat harmless
    checkSubject(asked);
    const subject = ownSubject(request, asked);
    const { type } = subject;
    if (type !== undefined && !Object.hasOwn(services.registry, type)) {
      throw new AppError('invalid_pause', `There is no operation type ${type}`);
    }
    const madeBy = ownTenantOf(request);
    const { pause, isNew } = await services.pauses.pause({
      ...{ subject, reason, author: `key:${keyId}` },
      ...(madeBy !== undefined && { madeBy }),
    });
    return { status: isNew ? 201 : 200, body: pauseView(pause) };
  },
});
