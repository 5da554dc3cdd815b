import { changedSchema } from '../../contract/steering.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { nameParams } from './get-setting.ts';
import { changeQuery, checkMay, makeChange, nameOf } from './setting-input.ts';

export const deleteSetting = defineEndpoint({
  method: 'DELETE',
  path: '/v1/settings/:name',
  scope: 'admin',
  summary: 'Takes back what is set for a scope, so that the next wider one counts again',
  input: { params: nameParams, query: changeQuery, body: noBody },
  output: { 200: changedSchema },
  headers: { idempotencyKey: 'required' },
  errors: [
    'invalid_setting',
    'version_conflict',
    'idempotency_conflict',
    'limit_reached',
    'not_found',
  ],
  handle: async ({ params, query }, request) => {
    const name = nameOf(params.name);
    checkMay(request, [name]);
    return makeChange(request, query, { set: {}, unset: [name] });
  },
});
