import { GraphQLScalarType } from 'graphql';

/** Answers only: what is read was checked when it was written. */
const answered = (name: string, description: string): GraphQLScalarType =>
  new GraphQLScalarType({ name, description });

export const AmountScalar = answered('Amount', 'Minor units (cents) as a decimal string');
export const InstantScalar = answered('Instant', 'UTC with milliseconds, as in ISO 8601');
export const JsonScalar = answered('Json', 'Any JSON');
