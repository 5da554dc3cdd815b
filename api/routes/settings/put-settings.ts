import { z } from 'zod';
import { changedSchema } from '../../contract/steering.ts';
import { SERVICE_CONFIG_LIMITS } from '../../../config/service-config-limits.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { changeFields, checkMay, makeChange, settingValue } from './setting-input.ts';

const { changeMax } = SERVICE_CONFIG_LIMITS;

const body = z
  .strictObject({
    ...changeFields,
    set: z.record(z.string().max(100), settingValue).exactOptional(),
    unset: z.array(z.string().max(100)).max(changeMax).exactOptional(),
  })
  .refine(
    ({ set = {}, unset = [] }) => Object.keys(set).length + unset.length > 0,
    'must set or unset something',
  )
  .refine(({ set = {} }) => Object.keys(set).length <= changeMax, {
    message: `may name up to ${String(changeMax)} settings`,
    path: ['set'],
  })
  .refine(({ set = {}, unset = [] }) => !unset.some((name) => Object.hasOwn(set, name)), {
    message: 'must not name what is set',
    path: ['unset'],
  });

export const putSettings = defineEndpoint({
  method: 'PUT',
  path: '/v1/settings',
  scope: 'admin',
  summary: 'Sets and unsets several of one scope together: all of them or none',
  input: { params: noParams, query: noQuery, body: schemaBody(body) },
  output: { 200: changedSchema },
  headers: { idempotencyKey: 'required' },
  errors: [
    'invalid_setting',
    'version_conflict',
    'idempotency_conflict',
    'limit_reached',
    'not_found',
  ],
  handle: async ({ body: { set = {}, unset = [], ...change } }, request) => {
    checkMay(request, [...Object.keys(set), ...unset]);
    return makeChange(request, change, { set, unset });
  },
});
