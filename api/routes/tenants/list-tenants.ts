import { tenantPage } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, plainPageQuery } from '../../http/list.ts';
import { tenantView } from '../../views/access.ts';
import { isKeeper } from './tenant-rights.ts';

const isTenantId = (text: string): boolean => text.length > 0 && text.length <= 100;

export const listTenants = defineEndpoint({
  method: 'GET',
  path: '/v1/tenants',
  scope: 'admin',
  summary: 'Tenants by id: all of them for the default tenant, else one’s own alone',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  output: { 200: tenantPage },
  handle: ({ query }, request) => {
    const { services, tenant } = request;
    const own = async () => [await services.tenants.find(tenant.tenantId)].filter(isThere);
    return listReply(
      {
        list: 'tenants',
        keyOf: ({ _id }) => _id,
        isKey: isTenantId,
        read: (page) => (isKeeper(request) ? services.tenants.list(page) : own()),
        view: tenantView,
      },
      query,
    );
  },
});

function isThere<T>(one: T | undefined): one is T {
  return one !== undefined;
}
