import { settingsSchema } from '../../contract/steering.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { noParams } from '../../http/list.ts';
import { scopeFor, scopeQuery } from './setting-input.ts';

export const listSettings = defineEndpoint({
  method: 'GET',
  path: '/v1/settings',
  scope: 'admin',
  summary:
    'What can be changed while the platform runs: values in force, whose they are, and bounds',
  input: { params: noParams, query: scopeQuery, body: noBody },
  output: { 200: settingsSchema },
  handle: async ({ query }, request) => {
    const scope = scopeFor(request, query);
    const { items, ...state } = await request.services.settings.list(scope);
    const reply = found({ scope, ...state, items });
    return { ...reply, headers: { ETag: `"${String(state.version)}"` } };
  },
});
