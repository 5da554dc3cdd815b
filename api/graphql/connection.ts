import {
  GraphQLBoolean,
  type GraphQLFieldConfig,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from 'graphql';
import { GRAPHQL_LIMITS } from '../../config/graphql-limits.ts';
import type { KeyedEndpoint } from '../http/endpoint.ts';
import type { RequestContext } from '../http/request-context.ts';
import { type Question, ask } from './ask.ts';

const pageInfo = new GraphQLObjectType({
  name: 'PageInfo',
  fields: {
    hasNextPage: { type: new GraphQLNonNull(GraphQLBoolean) },
    endCursor: { type: GraphQLString, description: '`after` of the next page' },
  },
});

/** A list in pages, as its endpoint gives them. */
interface ConnectionSpec {
  readonly node: GraphQLObjectType;
  readonly endpoint: KeyedEndpoint;
  /** Parameters of the endpoint's query that may be given. */
  readonly filters: readonly string[];
  /** Parameters that follow from where the list hangs. */
  readonly given?: (parent: never) => Question;
}

interface Page {
  readonly items: readonly unknown[];
  readonly nextCursor: string | null;
}

type Field = GraphQLFieldConfig<unknown, RequestContext>;

/** One connection type a node, however many lists of it there are. */
export function createConnections(): (spec: ConnectionSpec) => Field {
  const types = new Map<string, GraphQLObjectType>();
  const typeFor = (node: GraphQLObjectType): GraphQLObjectType => {
    const known = types.get(node.name);
    if (known !== undefined) return known;
    const made = new GraphQLObjectType({
      name: `${node.name}Connection`,
      fields: {
        nodes: {
          type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(node))),
          resolve: (page: Page) => page.items,
        },
        pageInfo: {
          type: new GraphQLNonNull(pageInfo),
          resolve: ({ nextCursor }: Page) => ({
            hasNextPage: nextCursor !== null,
            endCursor: nextCursor,
          }),
        },
      },
    });
    types.set(node.name, made);
    return made;
  };

  return ({ node, endpoint, filters, given = nothing }) => ({
    type: new GraphQLNonNull(typeFor(node)),
    description: endpoint.summary,
    args: {
      first: { type: GraphQLInt, description: `1 to ${GRAPHQL_LIMITS.pageMax}` },
      after: { type: GraphQLString, description: '`endCursor` of the page before' },
      ...Object.fromEntries(filters.map((name) => [name, { type: GraphQLString }])),
    },
    resolve: (parent, args, context) => {
      const { first, after, ...rest } = args as Readonly<Record<string, string | number | null>>;
      const own = given(parent as never);
      const query = {
        ...texts(rest),
        limit: String(first ?? GRAPHQL_LIMITS.pageDefault),
        ...(typeof after === 'string' && { cursor: after }),
        ...own.query,
      };
      return ask(endpoint, context, { ...(own.params && { params: own.params }), query });
    },
  });
}

function nothing(): Question {
  return {};
}

function texts(args: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const known = Object.entries(args).filter((arg): arg is [string, string] => {
    return typeof arg[1] === 'string';
  });
  return Object.fromEntries(known);
}
