import fc from 'fast-check';
import type { OpenApiDocument, OpenApiOperation } from '../../../api/openapi/document.ts';
import type { JsonSchema } from '../../../api/openapi/json-schema.ts';
import { arbitraryOf, present, seldom } from './from-schema.ts';
import { nastyText, rawBody, spoiled } from './spoil.ts';

/** A request as the reference allows it, or a little beside that. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly waitSeconds: number;
}

interface Known {
  /** Ids that exist, by the first part of the path behind `/v1/`. */
  readonly ids: Readonly<Record<string, string>>;
}

/** They do not end by themselves. */
const ENDLESS = ['/v1/stream'];

export function requestsOf(document: OpenApiDocument, known: Known): fc.Arbitrary<FuzzRequest> {
  const resolve = (ref: string): JsonSchema =>
    document.components.schemas[ref.split('/').at(-1) ?? ''] ?? {};
  const all = Object.entries(document.paths)
    .filter(([path]) => !ENDLESS.includes(path))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const one = { path, method: method.toUpperCase(), operation };
        return {
          weight: operation.requestBody === undefined ? 1 : 3,
          arbitrary: requestOf(one, resolve, known),
        };
      }),
    );
  return fc.oneof(...all);
}

interface One {
  readonly path: string;
  readonly method: string;
  readonly operation: OpenApiOperation;
}

function requestOf(
  { path, method, operation }: One,
  resolve: (ref: string) => JsonSchema,
  known: Known,
): fc.Arbitrary<FuzzRequest> {
  return fc
    .record({
      at: pathOf(path, known),
      query: queryOf(operation, resolve),
      body: bodyOf(operation, resolve),
      waits: fc.constantFrom(0, 0, 0, 0, 0, 1),
      odd: fc.oneof(
        { weight: 9, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.constantFrom(...ODD_HEADERS) },
      ),
    })
    .map(({ at, query, body, waits, odd }) => ({
      method,
      path: `${at}${query}`,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(waits > 0 && { prefer: `wait=${waits}` }),
        ...odd,
      },
      body,
      waitSeconds: waits,
    }));
}

const ODD_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-encoding': 'gzip' },
  { prefer: 'wait=-1, return=nothing' },
  { prefer: 'return=minimal' },
  { 'x-correlation-id': '<script>' },
  { traceparent: 'nonsense' },
  { 'if-none-match': '*' },
  { accept: 'text/html' },
  { 'idempotency-key': '"not closed' },
  { 'idempotency-key': ' ' },
];

function pathOf(path: string, { ids }: Known): fc.Arbitrary<string> {
  const area = path.split('/')[2] ?? '';
  const good = fc.constant(ids[area] ?? 'some-id');
  const part = fc.oneof(
    { weight: 3, arbitrary: good },
    { weight: 2, arbitrary: nastyText.map(encoded) },
    { weight: 1, arbitrary: fc.constantFrom('%E0%A4%A', '%00', '%2e%2e', '%') },
  );
  const names = path.match(/\{\w+\}/g) ?? [];
  return fc
    .tuple(...names.map(() => part))
    .map((parts) =>
      names.reduce((text, name, index) => text.replace(name, () => parts[index] ?? ''), path),
    );
}

/** As well as it can be: half of a pair has no place in an address. */
function encoded(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?')) || 'empty';
}

function queryOf(
  { parameters }: OpenApiOperation,
  resolve: (ref: string) => JsonSchema,
): fc.Arbitrary<string> {
  const fields = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, schema }) => [name, seldom(textOr(arbitraryOf(schema, resolve, name)))] as const);
  const known = fc.record(Object.fromEntries(fields)).map(present);
  const unknown = fc.tuple(fc.constantFrom('metadata.k', 'verbose', '__proto__'), nastyText);
  const extra = fc.oneof(
    { weight: 8, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: unknown.map((pair) => [pair]) },
  );
  return fc.tuple(known, extra).map(([values, more]) => {
    const pairs = [...Object.entries(values), ...more];
    const texts = pairs.map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`);
    return texts.length === 0 ? '' : `?${texts.join('&')}`;
  });
}

function textOr(good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: nastyText });
}

function bodyOf(
  { requestBody }: OpenApiOperation,
  resolve: (ref: string) => JsonSchema,
): fc.Arbitrary<string | undefined> {
  const schema = requestBody?.content['application/json']?.schema;
  if (schema === undefined) return fc.constant(undefined);
  const good = arbitraryOf(schema, resolve);
  return fc.oneof(
    { weight: 6, arbitrary: good.map((value) => JSON.stringify(value)) },
    { weight: 5, arbitrary: good.chain(spoiled).map((value) => JSON.stringify(value) ?? 'null') },
    { weight: 1, arbitrary: rawBody },
  );
}
