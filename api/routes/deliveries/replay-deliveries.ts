import { z } from 'zod';
import { encodeCursor } from '../../../core/kernel/cursor.ts';
import { isFinal } from '../../../core/notifications/delivery/delivery.ts';
import { replaySchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { keyIn, noParams, noQuery, pageQuery } from '../../http/list.ts';
import { deliveryFilter, isDeliveryKey } from './delivery-filter.ts';
import { noteDeed } from '../../writes/note-deed.ts';

const body = z
  .strictObject({
    filter: z.strictObject({
      ...deliveryFilter,
      status: deliveryFilter.status
        .unwrap()
        .refine(isFinal, 'must be a final one: what is under way is not replayed'),
    }),
    dryRun: z.boolean().exactOptional(),
    cursor: pageQuery.cursor,
  })
  .refine(({ filter }) => Object.keys(filter).length > 1, {
    path: ['filter'],
    message: 'must have something beside the status',
  });

export const replayDeliveries = defineEndpoint({
  method: 'POST',
  path: '/v1/deliveries/replay',
  scope: 'notifications:admin',
  summary:
    'Sends deliveries again by `filter` (`status` and something beside it), the newest first and up ' +
    'to 10,000 of them; `nextCursor` in the answer is the `cursor` of the request that goes on. ' +
    'Under an `Idempotency-Key` each is sent once, however often it is asked for. `dryRun: true` ' +
    'counts them',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  output: { 200: replaySchema },
  headers: { idempotencyKey: 'optional' },
  errors: ['idempotency_conflict', 'invalid_cursor'],
  handle: async ({ body: { filter, dryRun = false, cursor } }, request) => {
    const { services, tenant, idempotencyKeyIfAny } = request;
    const key = idempotencyKeyIfAny();
    const { result, isRepeat } = await services.notifications(tenant).deliveries.replay(filter, {
      dryRun,
      ...(cursor !== undefined && { after: keyIn(CURSOR, cursor) }),
      ...(key !== undefined && { key }),
    });
    const deed = { action: 'delivery.replay', targetId: filter.status, key } as const;
    if (!dryRun) await noteDeed(request, { ...deed, after: { filter, replayed: result.replayed } });
    const { after, ...reply } = result;
    const next = after === undefined ? {} : { nextCursor: encodeCursor(CURSOR.list, after) };
    const answer = found({ ...reply, ...next });
    return isRepeat ? { ...answer, headers: { 'Idempotent-Replayed': 'true' } } : answer;
  },
});

const CURSOR = { list: 'deliveries.replay', isKey: isDeliveryKey };
