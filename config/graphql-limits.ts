/** Questions in GraphQL; what an installation may change is in the environment. */
export const GRAPHQL_LIMITS = {
  /** Items of a list whose number is not asked for, and at most. */
  pageDefault: 20,
  pageMax: 200,
  /** Items of a list that has no pages are counted as so many. */
  plainListWeight: 5,
  directivesMax: 10,
  errorsMax: 20,
  /** Of the text: the words of it are counted as well. */
  queryCharsMax: 50_000,
} as const;
