import { keySchema } from '../../contract/access.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { keyView } from '../../views/access.ts';
import { keeperOf, keyInput } from './key-input.ts';

export const createKey = defineEndpoint({
  method: 'POST',
  path: '/v1/keys',
  scope: 'keys:admin',
  summary:
    'Makes an API key that may do no more than the one that asks; its text (`key`) is in this ' +
    'answer and nowhere else. A repeat answers 200 without it: whoever has lost it rotates the key',
  input: { params: noParams, query: noQuery, body: schemaBody(keyInput) },
  output: { 200: keySchema, 201: keySchema },
  headers: { idempotencyKey: 'required' },
  errors: ['idempotency_conflict', 'limit_reached'],
  handle: async ({ body }, request) => {
    const { services, idempotencyKey } = request;
    const { key, text } = await services.keys.create(keeperOf(request), body, idempotencyKey());
    const view = keyView(key, text);
    const headers = { Location: view.links.self };
    return text === undefined
      ? { status: 200, headers: { ...headers, 'Idempotent-Replayed': 'true' }, body: view }
      : { status: 201, headers, body: view };
  },
});
