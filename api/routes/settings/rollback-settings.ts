import { z } from 'zod';
import { changedSchema } from '../../contract/steering.ts';
import { SETTING_NAMES } from '../../../config/settings.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { changeFields, checkMay, makeChange, scopeFor } from './setting-input.ts';

const body = z.strictObject({
  ...changeFields,
  /** 0: nothing set. */
  toVersion: z.int().min(0),
});

export const rollbackSettings = defineEndpoint({
  method: 'POST',
  path: '/v1/settings-rollback',
  scope: 'admin',
  summary: 'Makes a scope what it was at an earlier version, as a change of its own',
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
  handle: async ({ body: { toVersion, ...change } }, request) => {
    const { items } = await request.services.settings.list(scopeFor(request, change));
    const known = items.map(({ name }) => name);
    checkMay(request, known.length === 0 ? SETTING_NAMES : ownOf(items));
    return makeChange(request, change, { toVersion });
  },
});

/** Those that a tenant has by the word of somebody else are not its own to take back. */
function ownOf(items: readonly { readonly name: string; readonly source: string }[]) {
  return items.filter(({ source }) => source.startsWith('tenant:')).map(({ name }) => name);
}
