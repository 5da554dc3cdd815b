import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { type Json, pointerSegment } from '../../../core/kernel/canonical.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { SIGNAL_NAME } from '../../../core/operations/intervention.ts';
import { operationSchema } from '../../contract/operation.ts';
import { json } from '../../contract/parts.ts';
import { type BodySpec, jsonBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { intervene } from '../../writes/intervene.ts';
import { noQuery } from '../../http/list.ts';

/** Any JSON that can be stored and is not large; whether it fits is for the operation's type to say. */
const signalBody: BodySpec<Json> = {
  accepts: jsonBody.accepts,
  schema: json,
  parse: (text, mediaType) => {
    const max = LIMITS.signalBytesMax;
    if (Buffer.byteLength(text) > max) {
      throw new AppError('body_too_large', `The data of a signal may have ${max} bytes`);
    }
    const data = jsonBody.parse(text, mediaType) as Json; // what JSON.parse gives
    refuseOperators(data, '');
    return data;
  },
};

/** Names that mean something to MongoDB, or that it cannot store. */
function refuseOperators(value: Json, pointer: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries<Json>(value)) {
    const at = `${pointer}/${pointerSegment(key)}`;
    if (key.startsWith('$') || key.includes('.') || key.includes('\0')) {
      throw new AppError('invalid_request', 'A key of the body is not allowed', {
        errors: [{ pointer: at, detail: 'must not start with $ or hold a dot' }],
      });
    }
    refuseOperators(member, at);
  }
}

export const signalOperation = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/:id/signals/:name',
  scope: 'operations:approve',
  summary:
    'Answers what a step of an operation waits for (`waitingFor`), with a name and data that its ' +
    'type knows. The first valid signal of a name counts, repeating it is harmless',
  input: {
    params: z.object({
      id: z.string(),
      name: z.string().regex(SIGNAL_NAME, 'must be 1 to 40 of a-z, 0-9 and -'),
    }),
    query: noQuery,
    body: signalBody,
  },
  output: { 200: operationSchema, 202: operationSchema },
  headers: { prefer: ['wait'] },
  errors: ['illegal_state'],
  handle: ({ params: { id, name }, body }, request) =>
    intervene(request, id, { kind: 'signal', name, data: body }),
});
