import { keySchema } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { keyView } from '../../views/access.ts';

export const getKey = defineEndpoint({
  method: 'GET',
  path: '/v1/keys/:id',
  scope: 'keys:admin',
  summary: 'An API key, without its secret; when it was used last is known to the minute',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: keySchema },
  handle: async ({ params }, { services, tenant }) =>
    found(keyView(foundOr404(await services.keys.find(tenant.tenantId, params.id), 'key'))),
});
