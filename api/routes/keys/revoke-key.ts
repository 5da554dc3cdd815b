import { keySchema } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { keyView } from '../../views/access.ts';
import { keeperOf } from './key-input.ts';

export const revokeKey = defineEndpoint({
  method: 'DELETE',
  path: '/v1/keys/:id',
  scope: 'keys:admin',
  summary: 'Revokes an API key with all of its secrets, for good; repeating it is harmless',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: keySchema },
  handle: async ({ params }, request) =>
    found(keyView(await request.services.keys.revoke(keeperOf(request), params.id))),
});
