import { z } from 'zod';

/** As much of JSON Schema 2020-12 as is looked at here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

export interface SchemaBook {
  /** The schema as it stands in the document: named parts are references to `all`. */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema;
  /** Every named part so far. */
  all(): Readonly<Record<string, JsonSchema>>;
}

const LOCAL = '#/$defs/';
const SHARED = '#/components/schemas/';

/** Schemas with a name (`meta({ id })`) are written once and referred to. */
export function createSchemaBook(): SchemaBook {
  const named = new Map<string, JsonSchema>();
  return Object.freeze({
    of: (schema: z.ZodType, io: 'input' | 'output') => {
      // Inside of another one, so that it is referred to itself where it has a name.
      const whole = z.toJSONSchema(z.strictObject({ schema }), {
        ...{ io, unrepresentable: 'any', target: 'draft-2020-12' },
        override: ({ jsonSchema }) => {
          if (jsonSchema.format === 'date-time') delete jsonSchema.pattern; // the format says it
        },
      }) as JsonSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> };
      for (const [name, part] of Object.entries(whole.$defs ?? {})) {
        named.set(name, shared(part));
      }
      return shared(whole.properties?.['schema'] ?? {});
    },
    all: () => Object.fromEntries([...named].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  } satisfies SchemaBook);
}

/** With references into the document. */
function shared(schema: JsonSchema): JsonSchema {
  return rewritten(schema) as JsonSchema; // an object stays one
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]): [string, unknown] => [
      key,
      key === '$ref' && typeof member === 'string'
        ? member.replace(LOCAL, SHARED)
        : rewritten(member),
    ]),
  );
}
