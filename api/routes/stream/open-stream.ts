import { z } from 'zod';
import { userId } from '../../../core/operations/inputs.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams } from '../../http/list.ts';
import { eventPatterns } from '../../realtime/filter.ts';
import { STREAM_SCOPE } from '../../realtime/scope.ts';
import { streamPosition } from '../../realtime/socket-messages.ts';

export const openStream = defineEndpoint({
  method: 'GET',
  path: '/v1/stream',
  scope: STREAM_SCOPE,
  summary: 'Events as they happen (server-sent events), by userId and names; resumable',
  input: {
    params: noParams,
    query: z.strictObject({
      userId: userId.exactOptional(),
      events: eventPatterns.exactOptional(),
      lastEventId: streamPosition.exactOptional(),
    }),
    body: noBody,
  },
  // The header is what a client adds when it comes back to the address that it was given.
  output: { 200: { mediaType: 'text/event-stream' } },
  limit: 'stream',
  headers: { lastEventId: true },
  errors: ['streams_full', 'rate_limited'],
  handle: ({ query: { lastEventId, ...wanted } }, { services, tenant, keyId, ...request }) =>
    services.streams.open({
      tenantId: tenant.tenantId,
      keyId,
      wanted,
      address: request.address(),
      gone: request.signal(),
      after: request.lastEventId() ?? lastEventId,
    }),
});
