import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { shapeOf } from './codes.ts';
import type { JsonSchema, SchemaBook } from './json-schema.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: true;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly style?: string;
  readonly explode?: boolean;
}

export function parametersOf(endpoint: Endpoint, book: SchemaBook): readonly Parameter[] {
  const { input } = endpoint;
  return [
    ...pathParameters(endpoint, book),
    ...fieldsOf(input.query, 'query', book).filter(({ name }) => name !== 'metadata'),
    ...headerParameters(endpoint),
  ];
}

/** Only those that the path has: aliases share their schema. */
function pathParameters({ path, input }: Endpoint, book: SchemaBook): readonly Parameter[] {
  return fieldsOf(input.params, 'path', book)
    .filter(({ name }) => path.split('/').includes(`:${name}`))
    .map((parameter) => ({ ...parameter, required: true }));
}

function fieldsOf(schema: z.ZodType, where: 'path' | 'query', book: SchemaBook): Parameter[] {
  const shape = shapeOf(schema);
  if (Object.keys(shape).length === 0) return [];
  const { properties = {}, required = [] } = book.of(z.object(shape), 'input');
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    ...(required.includes(name) && { required: true as const }),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

const header = (name: string, description: string, schema: JsonSchema): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
});

function headerParameters({ headers, scope }: Endpoint): readonly Parameter[] {
  const { idempotencyKey, prefer = [], lastEventId } = headers;
  return [
    ...(idempotencyKey === undefined
      ? []
      : [
          {
            ...header(
              'Idempotency-Key',
              'Names this write: repeating the request with it has no second effect',
              { type: 'string', minLength: 1, maxLength: LIMITS.idempotencyKeyCharsMax },
            ),
            ...(idempotencyKey === 'required' && { required: true as const }),
          },
        ]),
    ...(prefer.length === 0 ? [] : [preferHeader(prefer)]),
    ...(lastEventId === true
      ? [header('Last-Event-ID', 'Goes on after this event', { type: 'string' })]
      : []),
    header('X-Correlation-Id', 'Echoed, logged and stored; made up where there is none', {
      ...{ type: 'string', maxLength: LIMITS.correlationIdCharsMax },
      pattern: '^[A-Za-z0-9._:/+=@~-]+$',
    }),
    ...(scope === 'none'
      ? []
      : [header('traceparent', 'W3C trace context', { type: 'string', maxLength: 55 })]),
  ];
}

const PREFERENCES = {
  wait: `\`wait=<seconds>\` waits for the outcome, up to ${LIMITS.preferWaitSecondsMax} s`,
  return: '`return=minimal` answers with id and status only',
} as const;

function preferHeader(known: readonly (keyof typeof PREFERENCES)[]): Parameter {
  const text = known.map((name) => PREFERENCES[name]).join('; ');
  return header('Prefer', `RFC 7240: ${text}`, { type: 'string', examples: ['wait=5'] });
}
