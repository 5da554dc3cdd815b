import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { ErrorCode } from '../../core/kernel/errors.ts';
import { problemSchema } from '../contract/parts.ts';
import type { Endpoint, Output } from '../http/endpoint.ts';
import { PROBLEM_TYPE, statusOfCode } from '../http/problem.ts';
import { codesOf } from './codes.ts';
import type { JsonSchema, SchemaBook } from './json-schema.ts';

type Headers = Readonly<Record<string, { readonly $ref: string }>>;

export interface Response {
  readonly description: string;
  readonly headers?: Headers;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

/** Headers of answers, by name. */
export const RESPONSE_HEADERS = {
  'X-Correlation-Id': text('The id of the request, or the one that was made for it'),
  'Retry-After': {
    description: 'Seconds after which a retry makes sense',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  'WWW-Authenticate': text('RFC 6750: what is wrong with the key'),
  Location: text('Where the resource is'),
  'Idempotent-Replayed': {
    description: '`true`: the answer to a request that was made before',
    schema: { type: 'string', const: 'true' },
  },
  'Preference-Applied': text('What of `Prefer` was done'),
} as const;

function text(description: string) {
  return { description, schema: { type: 'string' } };
}

type HeaderName = keyof typeof RESPONSE_HEADERS;

function headersNamed(names: readonly HeaderName[]): Headers {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Refusals are alike at many endpoints: each is written once and referred to. */
export interface RefusalBook {
  of(refusal: Response, status: string): { readonly $ref: string };
  all(): Readonly<Record<string, Response>>;
}

export function createRefusalBook(): RefusalBook {
  const named = new Map<string, { readonly name: string; readonly refusal: Response }>();
  return Object.freeze({
    of: (refusal: Response, status: string) => {
      const text = JSON.stringify(refusal);
      const same = [...named.values()].filter(({ name }) => name.startsWith(`Refused${status}`));
      const name = named.get(text)?.name ?? `Refused${status}_${same.length + 1}`;
      named.set(text, { name, refusal });
      return { $ref: `#/components/responses/${name}` };
    },
    all: () => Object.fromEntries([...named.values()].map(({ name, refusal }) => [name, refusal])),
  } satisfies RefusalBook);
}

export interface Books {
  readonly schemas: SchemaBook;
  readonly refusals: RefusalBook;
}

export function responsesOf(
  endpoint: Endpoint,
  { schemas: book, refusals }: Books,
): Readonly<Record<string, Response | { readonly $ref: string }>> {
  const answers = Object.entries(endpoint.output).map(([status, output]): [string, Response] => [
    status,
    responseOf(endpoint, { status: Number(status), output }, book),
  ]);
  const problems = problemsOf(codesOf(endpoint), book)
    .filter(([status]) => !Object.hasOwn(endpoint.output, status))
    .map(([status, refusal]) => [status, refusals.of(refusal, status)] as const);
  const all: readonly (readonly [string, Response | { readonly $ref: string }])[] = [
    ...answers,
    ...problems,
  ];
  return Object.fromEntries(all);
}

interface Answer {
  readonly status: number;
  readonly output: Output;
}

function responseOf(endpoint: Endpoint, { status, output }: Answer, book: SchemaBook): Response {
  const { idempotencyKey, prefer } = endpoint.headers;
  const isCreated = status === 201 || (status === 202 && idempotencyKey !== undefined);
  return {
    description: STATUS_CODES[status] ?? 'Answer',
    headers: headersNamed([
      'X-Correlation-Id',
      ...(isCreated ? (['Location'] as const) : []),
      ...(idempotencyKey === undefined ? [] : (['Idempotent-Replayed'] as const)),
      ...(prefer === undefined ? [] : (['Preference-Applied'] as const)),
    ]),
    ...contentOf(output, book),
  };
}

function contentOf(output: Output, book: SchemaBook): Pick<Response, 'content'> {
  if (output === null) return {};
  if (output instanceof z.ZodType) return { content: jsonContent(output, book) };
  const { mediaType, or = [], json } = output;
  const texts = [mediaType, ...or].map((type): [string, { readonly schema: JsonSchema }] => [
    type,
    { schema: { type: 'string' } },
  ]);
  return {
    content: { ...Object.fromEntries(texts), ...(json !== undefined && jsonContent(json, book)) },
  };
}

function jsonContent(
  schema: z.ZodType,
  book: SchemaBook,
): Readonly<Record<string, { readonly schema: JsonSchema }>> {
  return { 'application/json': { schema: book.of(schema, 'output') } };
}

const EXTRA: Readonly<Record<string, HeaderName>> = {
  401: 'WWW-Authenticate',
  403: 'WWW-Authenticate',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** One response per status, with the codes that it may have. */
function problemsOf(codes: readonly ErrorCode[], book: SchemaBook): readonly [string, Response][] {
  const statuses = [...new Set(codes.map(statusOfCode))].toSorted((a, b) => a - b);
  return statuses.map((status) => {
    const own = codes.filter((code) => statusOfCode(code) === status);
    const extra = EXTRA[status];
    return [
      String(status),
      {
        description: own.map((code) => `\`${code}\``).join(', '),
        headers: headersNamed(['X-Correlation-Id', ...(extra === undefined ? [] : [extra])]),
        content: { [PROBLEM_TYPE]: { schema: problemWith(own, status, book) } },
      },
    ];
  });
}

function problemWith(codes: readonly ErrorCode[], status: number, book: SchemaBook): JsonSchema {
  return {
    ...book.of(problemSchema, 'output'),
    properties: { code: { enum: codes }, status: { const: status } },
  };
}
