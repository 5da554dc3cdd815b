import { z } from 'zod';

const ceiling = (fallback: number, max: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, `must be a number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.int().max(max))
    .default(fallback);

/** What a GraphQL question may ask for. */
export const graphqlEnv = {
  GRAPHQL_TOKENS_MAX: ceiling(1_000, 100_000).describe('words and signs of a GraphQL question'),
  GRAPHQL_DEPTH_MAX: ceiling(8, 50).describe('how deep a GraphQL question may go'),
  GRAPHQL_ALIASES_MAX: ceiling(15, 1_000).describe('aliases of a GraphQL question'),
  GRAPHQL_COST_MAX: ceiling(5_000, 100_000).describe(
    'what a GraphQL question may cost: about the fields of its answer when every page is full',
  ),
  GRAPHQL_INTROSPECTION: z
    .enum(['on', 'off'])
    .default('on')
    .describe('whether a GraphQL schema is told to those who have a key'),
};
