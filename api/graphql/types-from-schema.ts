import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfigMap,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import { z } from 'zod';
import type { RequestContext } from '../http/request-context.ts';
import { AmountScalar, InstantScalar, JsonScalar } from './scalars.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Schemas of the contract that are one value here. */
const NAMED: Readonly<Record<string, GraphQLScalarType>> = {
  Amount: AmountScalar,
  Instant: InstantScalar,
  Json: JsonScalar,
  Metadata: JsonScalar,
  OperationId: GraphQLID,
  WalletId: GraphQLID,
};
/** Addresses of the other API. */
const LEFT_OUT: ReadonlySet<string> = new Set(['links']);
const INT_MAX = 2_147_483_647;
const ENUM_VALUE = /^[A-Za-z]\w*$/;

type Fields = GraphQLFieldConfigMap<unknown, RequestContext>;

/**
 * The object type of what an endpoint answers, so that both APIs say the same. What GraphQL cannot say
 * (unions of shapes, names that are data) is JSON.
 *
 * @param links Fields that lead to other documents.
 */
export function objectFrom(
  name: string,
  schema: z.ZodType,
  links: () => Fields = () => ({}),
): GraphQLObjectType {
  const whole = z.toJSONSchema(schema, { io: 'output' });
  const defs = whole.$defs ?? {};
  const own = resolve(whole, defs);
  const fields = fieldsOf(own, name, defs);
  return new GraphQLObjectType({ name, fields: () => ({ ...fields, ...links() }) });
}

type Defs = Readonly<Record<string, JsonSchema>>;

function resolve(schema: JsonSchema, defs: Defs): JsonSchema {
  const id = refOf(schema);
  return id === undefined ? schema : (defs[id] ?? schema);
}

function refOf({ $ref }: JsonSchema): string | undefined {
  return $ref?.replace(/^#\/\$defs\//, '');
}

function fieldsOf(
  { properties = {}, required = [] }: JsonSchema,
  name: string,
  defs: Defs,
): Fields {
  const entries = Object.entries(properties).flatMap(
    ([field, given]): [string, Fields[string]][] => {
      if (LEFT_OUT.has(field) || typeof given === 'boolean') return [];
      const { schema, isNullable } = withoutNull(given);
      const type = typeOf(schema, nameOf(name, field), defs);
      const isSure = required.includes(field) && !isNullable;
      const description = given.description;
      return [
        [
          field,
          {
            type: isSure ? new GraphQLNonNull(type) : type,
            ...(description !== undefined && { description }),
          },
        ],
      ];
    },
  );
  return Object.fromEntries(entries);
}

function withoutNull(schema: JsonSchema): {
  readonly schema: JsonSchema;
  readonly isNullable: boolean;
} {
  const choices = schema.anyOf ?? [];
  const others = choices.filter((one) => typeof one === 'object' && one.type !== 'null');
  const [only] = others;
  const isOne = others.length === 1 && others.length < choices.length;
  return isOne && typeof only === 'object'
    ? { schema: only, isNullable: true }
    : { schema, isNullable: false };
}

type Nameable =
  GraphQLScalarType | GraphQLObjectType | GraphQLEnumType | GraphQLList<GraphQLOutputType>;

function typeOf(schema: JsonSchema, name: string, defs: Defs): Nameable {
  const id = refOf(schema) ?? schema.id;
  const named = id === undefined ? undefined : NAMED[id];
  if (named !== undefined) return named;
  const own = resolve(schema, defs);
  if (own.enum !== undefined) return enumOf(own.enum, name);
  if (own.type === 'array') return listOf(own, name, defs);
  if (own.type === 'object') {
    return own.properties === undefined
      ? JsonScalar
      : new GraphQLObjectType({ name, fields: fieldsOf(own, name, defs) });
  }
  return scalarOf(own, name);
}

function scalarOf({ type, maximum = Infinity }: JsonSchema, name: string): GraphQLScalarType {
  if (type === 'string') return name.endsWith('Id') ? GraphQLID : GraphQLString;
  if (type === 'boolean') return GraphQLBoolean;
  if (type === 'integer' && maximum <= INT_MAX) return GraphQLInt;
  return type === 'integer' || type === 'number' ? GraphQLFloat : JsonScalar;
}

function listOf({ items }: JsonSchema, name: string, defs: Defs): Nameable {
  if (items === undefined || typeof items === 'boolean' || Array.isArray(items)) return JsonScalar;
  return new GraphQLList(new GraphQLNonNull(typeOf(items, name, defs)));
}

/** Values with dots, as types of operations have, are text. */
function enumOf(values: readonly unknown[], name: string): Nameable {
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length < values.length || texts.some((text) => !ENUM_VALUE.test(text))) {
    return GraphQLString;
  }
  const entries = texts.map((text) => [text, { value: text }] as const);
  return new GraphQLEnumType({ name, values: Object.fromEntries(entries) });
}

/** `Operation`, `steps` is `OperationSteps`. */
function nameOf(parent: string, field: string): string {
  return `${parent}${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}
