import { z } from 'zod';
import { changedSchema } from '../../contract/steering.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noQuery } from '../../http/list.ts';
import { nameParams } from './get-setting.ts';
import { changeFields, checkMay, makeChange, nameOf, settingValue } from './setting-input.ts';

const body = z.strictObject({ ...changeFields, value: settingValue });

export const putSetting = defineEndpoint({
  method: 'PUT',
  path: '/v1/settings/:name',
  scope: 'admin',
  summary:
    'Sets one; in force in every process within 5 seconds. What makes no sense changes nothing',
  input: { params: nameParams, query: noQuery, body: schemaBody(body) },
  output: { 200: changedSchema },
  headers: { idempotencyKey: 'required' },
  errors: [
    'invalid_setting',
    'version_conflict',
    'idempotency_conflict',
    'limit_reached',
    'not_found',
  ],
  handle: async ({ params, body: { value, ...change } }, request) => {
    const name = nameOf(params.name);
    checkMay(request, [name]);
    return makeChange(request, change, { set: { [name]: value }, unset: [] });
  },
});
