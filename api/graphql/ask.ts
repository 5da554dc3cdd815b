import { AppError } from '../../core/kernel/errors.ts';
import type { KeyedEndpoint } from '../http/endpoint.ts';
import type { RequestContext } from '../http/request-context.ts';

/** What is asked of an endpoint that reads, with the rights of whoever asked here. */
export interface Question {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * What the endpoint answers; null where it says `not_found`.
 *
 * @throws AppError whatever else it throws.
 */
export async function ask(
  endpoint: KeyedEndpoint,
  context: RequestContext,
  { params = {}, query = {} }: Question,
): Promise<unknown> {
  try {
    return (await endpoint.call({ params, query }, context)).body;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return null;
    throw error;
  }
}
