/** What is asked in GraphQL, as in the body of a request (GraphQL over HTTP). */
export interface GraphqlQuestion {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** An error as GraphQL words it, with the code of ours in `extensions`. */
interface GraphqlProblem {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphqlProblem[];
}

export interface Graphql {
  /**
   * Answers a question with data, errors or both. Never throws for what is asked.
   *
   * @param context That of the request: fields ask other endpoints with its rights.
   */
  run(question: GraphqlQuestion, context: object): Promise<GraphqlAnswer>;
}
