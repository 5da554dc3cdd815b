import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../api/openapi/document.ts';
import { TAGS } from '../../../api/openapi/tags.ts';
import { ENDPOINTS } from '../../../api/routes/index.ts';
import {
  parseAlias,
  parseBulkItem,
  parseSubmission,
} from '../../../core/ingest/parse-submission.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';

const document = openApiDocument(ENDPOINTS);
const context = { registry: OPERATIONS, currencies: [] };

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
    method,
    path,
  })),
);

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(JSON.parse(JSON.stringify(document)) as object, 'openapi');

it('is accepted by a validator that knows nothing of us', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.stringify(document, undefined, 1));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

it('has every endpoint, each under a name of its own', () => {
  expect(operations).toHaveLength(ENDPOINTS.length);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const known = TAGS.map(({ name }) => name);
  const unknown = ENDPOINTS.filter(({ tag }) => !known.includes(tag)).map(({ path }) => path);
  expect(unknown, 'paths whose area has no line in tags.ts').toEqual([]);
});

it('refers to nothing that is not there', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, at = '']) => at,
  );
  const missing = refs.filter((at) => {
    let value: unknown = document;
    for (const part of at.split('/')) {
      if (typeof value !== 'object' || value === null || !(part in value)) return true;
      value = Reflect.get(value, part);
    }
    return false;
  });
  expect(refs.length).toBeGreaterThan(100);
  expect([...new Set(missing)]).toEqual([]);
});

describe('every write shows what may be sent', () => {
  const bodies = operations.flatMap(({ name, operation, method, path }) =>
    Object.entries(operation.requestBody?.content ?? {}).map(([mediaType, { examples }]) => ({
      ...{ name, mediaType, path, method },
      examples: Object.values(examples ?? {}).map(({ value }) => value),
    })),
  );

  it.each(bodies.filter(({ mediaType }) => mediaType === 'application/json'))(
    '$name',
    ({ name, path, method, examples }) => {
      expect(examples.length, `an example of ${name} in examples.ts`).toBeGreaterThan(0);
      const at = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'];
      const pointer = at.map((part) =>
        encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
      );
      const validate = ajv.getSchema(`openapi#/${pointer.join('/')}`);
      for (const value of examples) {
        expect(validate?.(value), JSON.stringify([value, validate?.errors])).toBe(true);
      }
    },
  );

  it('and what is shown is taken by what judges requests', () => {
    const examplesOf = (id: string): readonly unknown[] => {
      const found = operations.find(({ operation }) => operation.operationId === id)?.operation;
      const { examples = {} } = found?.requestBody?.content['application/json'] ?? {};
      return Object.values(examples).map(({ value }) => value);
    };
    const submissions = examplesOf('postOperations');
    expect(submissions).toHaveLength(Object.keys(OPERATIONS).length);
    const items = examplesOf('postOperationsBulk').flat();
    const aliases = ENDPOINTS.flatMap(({ id, alias }) =>
      examplesOf(id).flatMap((raw) => {
        const definition = Object.values(OPERATIONS).find(({ type }) => type === alias?.type);
        const { idField } = alias ?? {};
        const stated = idField === 'holdId' ? `hld_${'0'.repeat(32)}` : `trf_${'0'.repeat(32)}`;
        const fixed: Record<string, string> = idField === undefined ? {} : { [idField]: stated };
        return definition === undefined
          ? []
          : [parseAlias({ definition, raw, fixed, idempotencyKey: 'k' }, context)];
      }),
    );
    expect(aliases.length).toBeGreaterThan(10);
    expect(
      [
        ...submissions.map((one) => parseSubmission(one, 'k', context)),
        ...items.map((one) => parseBulkItem(one, context)),
        ...aliases,
      ].filter(({ ok }) => !ok),
    ).toEqual([]);
  });
});

describe('headers', () => {
  const headersOf = (id: string): readonly (readonly [string, boolean])[] =>
    (operations.find(({ operation }) => operation.operationId === id)?.operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'header')
      .map(({ name, required }) => [name, required === true] as const);

  it('of a write', () => {
    expect(headersOf('postTransfers')).toContainEqual(['Idempotency-Key', true]);
    expect(headersOf('postTransfers')).toContainEqual(['Prefer', false]);
  });

  it('of a write that may do without a key', () => {
    expect(headersOf('postDeliveriesIdResend')).toContainEqual(['Idempotency-Key', false]);
  });
});

it('says which codes an endpoint answers with, by status', () => {
  const responses = document.paths['/v1/transfers']?.['post']?.responses ?? {};
  expect(Object.keys(responses)).toEqual(
    expect.arrayContaining(['200', '202', '400', '401', '403', '409', '413', '415', '422', '503']),
  );
  expect(document.paths['/healthz']?.['get']?.security).toEqual([]);
  expect(document.paths['/v1/transfers']?.['post']?.security).toEqual([
    { apiKey: ['operations:write'] },
  ]);
});
