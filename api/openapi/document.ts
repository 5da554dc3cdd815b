import type { Endpoint } from '../http/endpoint.ts';
import { type JsonSchema, type SchemaBook, createSchemaBook } from './json-schema.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import { requestExamples } from './examples.ts';
import {
  type Books,
  RESPONSE_HEADERS,
  type Response,
  createRefusalBook,
  responsesOf,
} from './responses.ts';
import { TAGS } from './tags.ts';

/** An endpoint as the reference has it. */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

interface MediaType {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<
    Record<string, { readonly summary?: string; readonly value: unknown }>
  >;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly [more: string]: unknown;
  };
  readonly [more: string]: unknown;
}

const DESCRIPTION =
  'Payment operations: every write is accepted with `202`, durable from then on, and settled by ' +
  'workers; `Prefer: wait=5` answers with the outcome. Amounts are minor units as decimal ' +
  'strings. Every operation has an `Idempotency-Key`. Errors are problem documents (RFC 9457) ' +
  'with stable codes. Start with the [guides](/docs).';

/** OpenAPI 3.1 from the schemas that requests are judged by and views are typed by. Pure. */
export function openApiDocument(endpoints: readonly Endpoint[]): OpenApiDocument {
  const books: Books = { schemas: createSchemaBook(), refusals: createRefusalBook() };
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    const methods = (paths[path] ??= {});
    methods[endpoint.method.toLowerCase()] = operationOf(endpoint, books);
  }
  const used = new Set(endpoints.map(({ tag }) => tag));
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Sluice',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: TAGS.filter(({ name }) => used.has(name)),
    paths,
    components: {
      schemas: books.schemas.all(),
      responses: books.refusals.all(),
      headers: RESPONSE_HEADERS,
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'slk_<id>_<secret>',
          description: 'An API key of a tenant; an endpoint needs the scope that it names',
        },
      },
    },
  };
}

function operationOf(endpoint: Endpoint, books: Books): OpenApiOperation {
  const { id, tag, summary, scope, audience, limit } = endpoint;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...{ 'x-audience': audience, 'x-limit': limit },
    security: scope === 'none' ? [] : [{ apiKey: [scope] }],
    parameters: parametersOf(endpoint, books.schemas),
    ...bodyOf(endpoint, books.schemas),
    responses: responsesOf(endpoint, books),
  };
}

const NDJSON = 'application/x-ndjson';

function bodyOf(endpoint: Endpoint, book: SchemaBook): Pick<OpenApiOperation, 'requestBody'> {
  const { accepts, schema, isOptional } = endpoint.input.body;
  if (accepts.length === 0) return {};
  const described = schema === undefined ? {} : book.of(schema, 'input');
  const examples = requestExamples(endpoint);
  const content = accepts.map((mediaType): [string, MediaType] => [
    mediaType,
    mediaType === NDJSON
      ? { schema: { type: 'string', description: 'One item per line' } }
      : { schema: described, ...(examples !== undefined && { examples }) },
  ]);
  return {
    requestBody: { required: isOptional !== true, content: Object.fromEntries(content) },
  };
}
