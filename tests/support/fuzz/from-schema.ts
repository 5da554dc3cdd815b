import fc from 'fast-check';
import type { JsonSchema } from '../../../api/openapi/json-schema.ts';

type Resolve = (ref: string) => JsonSchema;

/** No name server is asked about it, and it is public. */
const ADDRESS = 'https://93.184.215.14/hook';
/** What makes operations succeed now and then: there are users of these names. */
const USERS = ['ann', 'bob', 'nobody'];

const instant = fc
  .date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Values that fit a schema, or nearly: what a pattern leaves open and code forbids comes as well. */
export function arbitraryOf(
  schema: JsonSchema,
  resolve: Resolve,
  name = '',
): fc.Arbitrary<unknown> {
  const one = (inner: unknown, as = name): fc.Arbitrary<unknown> =>
    arbitraryOf(inner as JsonSchema, resolve, as);
  if (schema.$ref !== undefined) return one(resolve(schema.$ref));
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return fc.oneof(...options.map((option) => one(option)));
  if (Array.isArray(schema.type)) {
    return fc.oneof(...(schema.type as string[]).map((type) => one({ ...schema, type })));
  }
  switch (schema.type) {
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(one(schema['items'] ?? {}), {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: Math.min(Number(schema['maxItems'] ?? 3), 3),
      });
    case 'object':
      return objectOf(schema, one);
    case undefined:
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function textOf(schema: JsonSchema, name: string): fc.Arbitrary<string> {
  if (/userId$/i.test(name)) return fc.constantFrom(...USERS);
  if (name === 'currency') return fc.constantFrom('EUR', 'EUR', 'USD', 'XXQ');
  if (name === 'provider') return fc.constant('sandbox');
  if (schema['format'] === 'date-time') return instant;
  if (schema['format'] === 'uri') return fc.constant(ADDRESS);
  const { pattern, minLength = 0, maxLength = 40 } = schema;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  return fc.string({
    unit: 'grapheme',
    minLength: Number(minLength),
    maxLength: Math.max(Number(minLength), Math.min(Number(maxLength), 40)),
  });
}

function numberOf({ type, minimum, maximum }: JsonSchema): fc.Arbitrary<number> {
  const min = Math.max(Number(minimum ?? -10), Number.MIN_SAFE_INTEGER);
  const max = Math.min(Number(maximum ?? 10_000), Number.MAX_SAFE_INTEGER);
  return type === 'integer' || min >= 0
    ? fc.integer({ min, max })
    : fc.double({ min, max, noNaN: true });
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  one: (schema: unknown, as: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(
    ([name, schema]): [string, fc.Arbitrary<unknown>] => [
      name,
      required.includes(name) ? one(schema, name) : seldom(one(schema, name)),
    ],
  );
  const known = fc.record(Object.fromEntries(fields)).map(present);
  if (typeof additionalProperties !== 'object') return known;
  const more = fc.dictionary(fc.string({ maxLength: 12 }), one(additionalProperties, ''), {
    maxKeys: 3,
  });
  return fc.tuple(known, more).map(([a, b]) => ({ ...b, ...a }));
}

const ABSENT = Symbol('absent');

/** What need not be there is mostly not: each of it may be wrong together with another. */
export function seldom(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(ABSENT) }, { weight: 1, arbitrary: value });
}

export function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ABSENT));
}
