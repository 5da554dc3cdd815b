import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { suppressionPage } from '../../contract/notification.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, plainPageQuery } from '../../http/list.ts';
import { suppressionView } from '../../views/notification.ts';

const isSuppressionId = (text: string): boolean => /^sup_[0-9a-f]{32}$/.test(text);

export const listSuppressions = defineEndpoint({
  method: 'GET',
  path: '/v1/suppressions',
  scope: 'notifications:admin',
  summary: 'Addresses that nothing is sent to, newest first',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  output: { 200: suppressionPage },
  handle: ({ query }, { services, tenant }) =>
    listReply(
      {
        list: 'suppressions',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, isSuppressionId) !== undefined,
        read: (page) => services.notifications(tenant).suppressions.list(tenant.tenantId, page),
        view: suppressionView,
      },
      query,
    ),
});
