import { keySchema } from '../../contract/access.ts';
import { jsonBodyLike } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { idParams, noQuery } from '../../http/list.ts';
import { parseInput } from '../../http/parse-input.ts';
import { keyView } from '../../views/access.ts';
import { keeperOf, rotationInput } from './key-input.ts';

export const rotateKey = defineEndpoint({
  method: 'POST',
  path: '/v1/keys/:id/rotate',
  scope: 'keys:admin',
  summary:
    'Gives an API key another secret, shown this once; the old one is good for `graceSeconds` more ' +
    '(24 hours unless stated or set), and 0 ends every earlier one at once',
  input: {
    params: idParams,
    query: noQuery,
    body: { ...jsonBodyLike(rotationInput), isOptional: true },
  },
  output: { 200: keySchema },
  headers: { idempotencyKey: 'required' },
  errors: ['illegal_state', 'limit_reached', 'idempotency_conflict'],
  handle: async ({ params, body }, request) => {
    const { services, idempotencyKey } = request;
    const { graceSeconds = services.keys.graceSeconds } = parseInput(rotationInput, body);
    const options = { graceSeconds, idempotencyKey: idempotencyKey() };
    const { key, text } = await services.keys.rotate(keeperOf(request), params.id, options);
    const reply = found(keyView(key, text));
    return text === undefined ? { ...reply, headers: { 'Idempotent-Replayed': 'true' } } : reply;
  },
});
