import { z } from 'zod';
import { planSchema } from '../../../config/plan.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { TENANT_STATUSES } from '../../../core/tenants/tenant.ts';
import { tenantSchema } from '../../contract/access.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { tenantView } from '../../views/access.ts';
import { isKeeper, refuseForeign } from './tenant-rights.ts';

const body = z
  .strictObject({
    status: z.enum(TENANT_STATUSES).exactOptional(),
    plan: planSchema.nullable().exactOptional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must change something');

export const changeTenant = defineEndpoint({
  method: 'PATCH',
  path: '/v1/tenants/:id',
  scope: 'admin',
  summary:
    'Suspends, reopens or closes a tenant, or gives it a plan (null: that of the installation); for ' +
    'the default tenant. All keys of a tenant that is shut are refused; what it has accepted is settled',
  input: { params: idParams, query: noQuery, body: schemaBody(body) },
  output: { 200: tenantSchema },
  errors: ['illegal_state'],
  handle: async ({ params: { id }, body: changes }, request) => {
    refuseForeign(request, id);
    if (!isKeeper(request)) {
      throw new AppError('forbidden', 'Only the default tenant changes tenants');
    }
    const { services, tenant, keyId, correlationId } = request;
    const doer = { tenantId: tenant.tenantId, actor: keyId, correlationId };
    return found(tenantView(await services.tenants.change(doer, id, changes)));
  },
});
