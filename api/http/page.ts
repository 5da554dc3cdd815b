import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ErrorCode } from '../../core/kernel/errors.ts';
import type { PublicServices } from '../services/public-services.ts';
import { noBody } from './body.ts';
import {
  type BodyOf,
  type Endpoint,
  type EndpointDeps,
  type Outputs,
  type SharedSpec,
  factsOf,
} from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { parseInput } from './parse-input.ts';
import { queryOf } from './query.ts';
import type { Reply } from './reply.ts';

/** Pages are asked for by probes and browsers, with whatever these add to an address. */
export const anyQuery = z.looseObject({});

interface PageSpec<P, Q, O extends Outputs> extends SharedSpec {
  readonly input: { readonly params: z.ZodType<P>; readonly query: z.ZodType<Q> };
  readonly output: O;
  readonly errors?: readonly ErrorCode[];
  readonly answer: (
    services: PublicServices,
    request: { readonly params: P; readonly query: Q; readonly incoming: IncomingMessage },
  ) => Promise<Reply<BodyOf<O>>> | Reply<BodyOf<O>>;
}

/** Declares a page that needs no key. All are GET. */
export function definePage<P, Q, O extends Outputs>(spec: PageSpec<P, Q, O>): Endpoint {
  const { params, query } = spec.input;
  const { output, answer, errors = [], limit = 'none' } = spec;
  return Object.freeze({
    ...factsOf('GET', spec),
    ...({
      scope: 'none',
      isByType: false,
      audience: 'public',
      limit,
      output,
      errors,
      headers: {},
      alias: undefined,
    } as const),
    input: { params, query, body: noBody },
    run: ({ request, params: stated }: Exchange, { pages }: EndpointDeps) =>
      answer(pages, {
        params: parseInput(params, stated, 'path'),
        query: parseInput(query, queryOf(request.url ?? ''), 'query'),
        incoming: request,
      }),
  });
}
