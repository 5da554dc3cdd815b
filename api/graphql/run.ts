import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  NoSchemaIntrospectionCustomRule,
  type ValidationRule,
  execute,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { Env } from '../../config/env.ts';
import { GRAPHQL_LIMITS } from '../../config/graphql-limits.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import { clientErrorOf } from '../http/problem.ts';
import type { RequestContext } from '../http/request-context.ts';
import { costRule } from './cost.ts';
import { createGraphqlSchema } from './schema.ts';

/** What is asked, as in the body of a request (GraphQL over HTTP). */
export interface GraphqlQuestion {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** Answers a question with data, errors or both. Never throws for what is asked. */
export type RunGraphql = (
  question: GraphqlQuestion,
  context: RequestContext,
) => Promise<GraphqlAnswer>;

type GraphqlEnv = Pick<
  Env,
  | 'GRAPHQL_TOKENS_MAX'
  | 'GRAPHQL_DEPTH_MAX'
  | 'GRAPHQL_ALIASES_MAX'
  | 'GRAPHQL_COST_MAX'
  | 'GRAPHQL_INTROSPECTION'
>;

/** What is too much is refused by its text, before anything is read. */
export function createGraphql(env: GraphqlEnv, logger: Logger): RunGraphql {
  const schema = createGraphqlSchema();
  const cheap = ceilingsOf(env);
  const read = (query: string): DocumentNode | readonly GraphQLError[] => {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: env.GRAPHQL_TOKENS_MAX });
    } catch (error) {
      return [problemOf(error)];
    }
    // The ceilings first: the other rules compare fields with each other.
    for (const rules of [cheap, specifiedRules]) {
      const errors = problemsOf(() =>
        validate(schema, document, rules, { maxErrors: GRAPHQL_LIMITS.errorsMax }),
      );
      if (errors.length > 0) return errors;
    }
    return document;
  };
  return async ({ query, operationName, variables }, context) => {
    const document = read(query);
    if (!('kind' in document)) return { errors: document.map((error) => error.toJSON()) };
    const { data, errors } = await execute({
      schema,
      document,
      contextValue: context,
      operationName,
      variableValues: variables,
    });
    return {
      ...(data !== undefined && { data }),
      ...(errors !== undefined && { errors: errors.map((error) => told(error, logger)) }),
    };
  };
}

function ceilingsOf(env: GraphqlEnv): readonly ValidationRule[] {
  return [
    maxDepthRule({ n: env.GRAPHQL_DEPTH_MAX, ignoreIntrospection: true }),
    maxAliasesRule({ n: env.GRAPHQL_ALIASES_MAX }),
    maxDirectivesRule({ n: GRAPHQL_LIMITS.directivesMax }),
    costRule(env.GRAPHQL_COST_MAX),
    ...(env.GRAPHQL_INTROSPECTION === 'off' ? [NoSchemaIntrospectionCustomRule] : []),
  ] as readonly ValidationRule[]; // the rules of armor say less of what they return
}

/** Some rules report what they find, others throw it. */
function problemsOf(find: () => readonly GraphQLError[]): readonly GraphQLError[] {
  try {
    return find();
  } catch (error) {
    return [problemOf(error)];
  }
}

/** @throws what is not about the question. */
function problemOf(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  // The rules of armor are CommonJS, for which `graphql` has classes of its own.
  if (error instanceof Error && error.name === 'GraphQLError')
    {return new GraphQLError(error.message);}
  throw error;
}

/** Our errors with their code; what is wrong with the question as it is; anything else is ours to know. */
function told(error: GraphQLError, logger: Logger): GraphQLFormattedError {
  const { originalError: cause, message, locations, path } = error;
  if (cause === undefined || cause instanceof GraphQLError) return error.toJSON();
  const known = clientErrorOf(cause);
  if (!(cause instanceof AppError)) logger.error({ err: cause }, 'graphql.failed');
  return {
    message: known.detail === '' ? message : known.detail,
    ...(locations !== undefined && { locations }),
    ...(path !== undefined && { path }),
    extensions: { code: known.code },
  };
}
