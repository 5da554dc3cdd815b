import { pauseSchema } from '../../contract/steering.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { foundPause, pauseView } from './pause-view.ts';

export const getPause = defineEndpoint({
  method: 'GET',
  path: '/v1/pauses/:id',
  scope: 'admin',
  summary: 'One pause, with how much it holds back',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: pauseSchema },
  handle: async ({ params }, request) => {
    const { pauses } = request.services;
    const pause = foundPause(request, await pauses.find(params.id));
    return found(pauseView(pause, await pauses.heldBy(pause)));
  },
});
