import { readTimeKey, timeKeyOf } from '../../../core/kernel/time-order.ts';
import { keyPage } from '../../contract/access.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { listReply, noParams, plainPageQuery } from '../../http/list.ts';
import { keyView } from '../../views/access.ts';

const isKeyId = (text: string): boolean => /^[A-Za-z0-9]{4,32}$/.test(text);

export const listKeys = defineEndpoint({
  method: 'GET',
  path: '/v1/keys',
  scope: 'keys:admin',
  summary: 'API keys of the tenant, newest first, without their secrets',
  input: { params: noParams, query: plainPageQuery, body: noBody },
  output: { 200: keyPage },
  handle: ({ query }, { services, tenant }) =>
    listReply(
      {
        list: 'keys',
        keyOf: timeKeyOf,
        isKey: (text) => readTimeKey(text, isKeyId) !== undefined,
        read: (page) => services.keys.list(tenant.tenantId, page),
        view: (key) => keyView(key),
      },
      query,
    ),
});
