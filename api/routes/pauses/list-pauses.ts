import { z } from 'zod';
import { pausePage } from '../../contract/steering.ts';
import type { Pause } from '../../../core/service-config/pause.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { ownTenantOf, pauseView } from './pause-view.ts';

const query = z.strictObject({
  ...pageQuery,
  status: z
    .enum(['active', 'all'])
    .exactOptional()
    .meta({ description: '`active` by default, all of them; `all`: also those that are over' }),
});
const ID = /^pau_[0-9a-f]{32}$/;

export const listPauses = defineEndpoint({
  method: 'GET',
  path: '/v1/pauses',
  scope: 'admin',
  summary: 'What is paused, since when, by whom and why, and how much it holds back',
  input: { params: noParams, query, body: noBody },
  output: { 200: pausePage },
  handle: async ({ query: { status, limit, cursor } }, request) => {
    const { pauses } = request.services;
    const tenant = ownTenantOf(request);
    if (status !== 'all') {
      const active = (await pauses.active()).filter(
        ({ subject }) => tenant === undefined || subject.tenant === tenant,
      );
      const items = await Promise.all(
        active.map(async (pause) => pauseView(pause, await pauses.heldBy(pause))),
      );
      return found({ items, nextCursor: null });
    }
    return listReply(
      {
        list: 'pauses',
        keyOf: ({ _id }: Pause) => _id,
        isKey: (text) => ID.test(text),
        read: (page) => pauses.list({ ...page, ...(tenant !== undefined && { tenant }) }),
        view: (pause) => pauseView(pause),
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    );
  },
});
