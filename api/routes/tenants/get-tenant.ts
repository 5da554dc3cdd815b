import { tenantSchema } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { tenantView } from '../../views/access.ts';
import { refuseForeign } from './tenant-rights.ts';

export const getTenant = defineEndpoint({
  method: 'GET',
  path: '/v1/tenants/:id',
  scope: 'admin',
  summary: 'A tenant with its status and plan: any for the default tenant, else one’s own',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: tenantSchema },
  handle: async ({ params: { id } }, request) => {
    refuseForeign(request, id);
    return found(tenantView(foundOr404(await request.services.tenants.find(id), 'tenant')));
  },
});
