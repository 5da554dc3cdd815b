import { z } from 'zod';
import { settingsHistoryPage } from '../../contract/steering.ts';
import type { ConfigHistoryDoc } from '../../../core/service-config/config-document.ts';
import { scopeKeyOf } from '../../../core/service-config/scope.ts';
import { DEFAULT_TENANT_ID } from '../../../core/tenants/tenant.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, pageQuery } from '../../http/list.ts';
import { scopeFor, scopeQuery } from './setting-input.ts';

const query = z.strictObject({ ...scopeQuery.shape, ...pageQuery });
const ID = /^cfg_[0-9a-f]{32}$/;

export const listSettingsHistory = defineEndpoint({
  method: 'GET',
  path: '/v1/settings-history',
  scope: 'admin',
  summary: 'Every change of settings, the latest first: who, when, why, from what to what',
  input: { params: noParams, query, body: noBody },
  output: { 200: settingsHistoryPage },
  handle: ({ query: { limit, cursor, ...asked } }, request) => {
    const scope = scopeFor(request, asked);
    const key = scopeKeyOf(scope);
    const { tenantId } = request.tenant;
    const isOwn = tenantId !== DEFAULT_TENANT_ID && key === `tenant:${tenantId}`;
    const filter = isOwn
      ? { tenant: tenantId }
      : { ...(Object.keys(asked).length > 0 && { scopeKey: key }) };
    return listReply(
      {
        list: 'settings-history',
        keyOf: ({ _id }: ConfigHistoryDoc) => _id,
        isKey: (text) => ID.test(text),
        read: (page) => request.services.settings.history({ ...filter, ...page }),
        view: historyView,
      },
      { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
    );
  },
});

function historyView({ _id, at, ...doc }: ConfigHistoryDoc) {
  const { scopeKey, scope, version, action, changes, values, author, reason } = doc;
  const what = { scopeKey, scope, version, action, changes, values, author, reason };
  return { id: _id, ...what, at: at.toISOString() };
}
