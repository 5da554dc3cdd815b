import { z } from 'zod';
import { settingSchema } from '../../contract/steering.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { nameOf, scopeFor, scopeQuery } from './setting-input.ts';

export const nameParams = z.object({ name: z.string() });

export const getSetting = defineEndpoint({
  method: 'GET',
  path: '/v1/settings/:name',
  scope: 'admin',
  summary: 'One setting: its value for whomever is asked about, whose word that is, and its bounds',
  input: { params: nameParams, query: scopeQuery, body: noBody },
  output: { 200: settingSchema },
  handle: async ({ params, query }, request) => {
    const scope = scopeFor(request, query);
    const { item, ...state } = await request.services.settings.get(nameOf(params.name), scope);
    const reply = found({ ...item, scope, ...state });
    return { ...reply, headers: { ETag: `"${String(state.version)}"` } };
  },
});
