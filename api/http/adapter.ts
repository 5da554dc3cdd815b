import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { Principal } from '../../core/access/api-key.ts';
import type { Authenticator } from '../../core/access/api-key-cache.ts';
import type { Meter, RateLimiter } from '../../core/access/rate-limiter.ts';
import { meterOf } from './rate-limit.ts';
import type { BodyBytes } from './body-bytes.ts';
import type { Endpoint } from './endpoint.ts';
import type { Reply } from './reply.ts';
import { bearerOf, correlationIdOf } from './headers.ts';
import { admittedInTime } from './in-time.ts';
import {
  PROBLEM_TYPE,
  clientErrorOf,
  operationIdOf,
  problemHeaders,
  problemOf,
  problemText,
  statusOfCode,
} from './problem.ts';
import { send } from './send.ts';
import type { ApiServices } from '../services/services.ts';

/** What endpoints work with, in the cell of a tenant. */
export interface ServicesByTenant {
  of(tenantId: string): ApiServices | Promise<ApiServices>;
}

export interface AdapterDeps {
  readonly limiter: RateLimiter;
  readonly services: ServicesByTenant;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A correlation id for a request that brings none. */
  readonly requestId: () => string;
  readonly bodyBytes: BodyBytes;
}

/** One request on its way through: what is known of it before anything is parsed. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The pattern of its path: a label, so never the path itself. */
  readonly route: string;
  readonly work: (correlationId: string) => Promise<Reply> | Reply;
  /** What stands on its answer besides, whatever comes of it. */
  readonly headers?: () => Readonly<Record<string, string>> | undefined;
}

/** Does the work of a request and answers it, whatever happens. Never rejects. */
export async function exchange(
  deps: Omit<AdapterDeps, 'services' | 'authenticator' | 'limiter' | 'bodyBytes'>,
  one: Exchange,
): Promise<void> {
  const { request, response, route, work } = one;
  const startedMs = deps.clock.monotonicMs();
  let correlationId = '';
  let reply: Reply;
  try {
    correlationId = correlationIdOf(request) ?? deps.requestId();
    reply = await work(correlationId);
  } catch (error) {
    if (correlationId === '') correlationId = deps.requestId(); // the one that came is not usable
    reply = problemReply(deps, error, { request, correlationId });
  }
  const extra = one.headers?.();
  if (extra !== undefined) reply = { ...reply, headers: { ...reply.headers, ...extra } };
  try {
    send(response, reply, correlationId);
  } catch (err) {
    deps.logger.error({ err, route, correlationId }, 'request.answer.failed');
    response.destroy();
  }
  const method = request.method ?? 'GET';
  const seconds = (deps.clock.monotonicMs() - startedMs) / 1_000;
  deps.metrics.httpDuration.observe({ method, route, status: reply.status }, seconds);
  deps.logger.debug({ method, route, status: reply.status, correlationId }, 'request.answered');
}

/** The path of a request, without its query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** An endpoint as a handler for its path; `params` is what the path states. Never rejects. */
export function handlerOf(deps: AdapterDeps, endpoint: Endpoint) {
  return (request: IncomingMessage, response: ServerResponse, params: unknown): Promise<void> => {
    let meter: Meter | undefined;
    return exchange(deps, {
      request,
      response,
      route: endpoint.path,
      headers: () => meter?.headers(),
      work: async (correlationId) => {
        const principal = await admittedInTime(authenticate(deps.authenticator, request));
        meter = meterOf(deps.limiter, principal, endpoint);
        await meter?.take(1);
        const services = deps.services.of(principal.tenant.tenantId);
        return endpoint.run({
          incoming: request,
          params,
          correlationId,
          principal,
          meter,
          services: services instanceof Promise ? await services : services,
          signal: once(() => goneSignal(response)),
          bodyBytes: deps.bodyBytes,
        });
      },
    });
  };
}

async function authenticate(
  authenticator: AdapterDeps['authenticator'],
  request: IncomingMessage,
): Promise<Principal> {
  const key = bearerOf(request);
  const principal =
    key === undefined
      ? undefined
      : await authenticator.authenticate(key, request.socket.remoteAddress);
  if (principal !== undefined) return principal;
  throw new AppError('unauthenticated', 'Send a valid key: `Authorization: Bearer slk_…`', {
    context: { isMissing: request.headers.authorization === undefined },
  });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Aborts when the connection closes before the answer is out. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  setMaxListeners(0, gone.signal); // a bulk request waits for every one of its items
  if (response.closed || response.destroyed) gone.abort();
  response.once('close', () => {
    gone.abort();
  });
  return gone.signal;
}

interface ProblemRequest {
  readonly request: IncomingMessage;
  readonly correlationId: string;
}

const INSTANCE_CHARS_MAX = 500;

function problemReply(
  deps: Pick<AdapterDeps, 'logger' | 'metrics'>,
  thrown: unknown,
  { request, correlationId }: ProblemRequest,
): Reply {
  const error = clientErrorOf(thrown);
  const instance = pathOf(request).slice(0, INSTANCE_CHARS_MAX);
  const operationId = operationIdOf(error);
  deps.metrics.refused.inc({ code: error.code });
  // Only what is our fault is worth a line; the rest is counted.
  const level = error.kind === 'internal' ? 'error' : 'debug';
  deps.logger[level]({ err: thrown, code: error.code, correlationId }, 'request.failed');
  return {
    status: statusOfCode(error.code),
    contentType: PROBLEM_TYPE,
    headers: problemHeaders(error),
    text: problemText(
      problemOf(error, {
        instance,
        correlationId,
        ...(operationId !== undefined && { operationId }),
      }),
    ),
  };
}
