import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { LIMITS } from '../config/limits.ts';
import { AppError } from '../core/kernel/errors.ts';
import { createRequestIds } from '../core/kernel/ids.ts';
import { supervise } from '../core/kernel/supervise.ts';
import { type AdapterDeps, exchange, handlerOf, pathOf } from './http/adapter.ts';
import { createBodyBytes } from './http/body-bytes.ts';
import { type FindOperator, createOperators } from './admin/operator.ts';
import { type AdminDeps, createAdminRouter } from './admin/router.ts';
import { type AdminSessions, type SessionsDeps, createAdminSessions } from './admin/session.ts';
import type { Endpoint, Method } from './http/endpoint.ts';
import { PUBLIC_PAGES, type PublicServices } from './public/pages.ts';

export interface AppDeps extends Omit<AdapterDeps, 'requestId' | 'bodyBytes' | 'findOperator'> {
  readonly endpoints: readonly Endpoint[];
  readonly pages: PublicServices;
  readonly admin: Pick<AdminDeps, 'queues' | 'hasQueues' | 'tenants'> &
    Pick<SessionsDeps, 'signOuts'> & { readonly password: string | undefined };
}

const EXPRESS_METHODS = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
} as const satisfies Record<Method, string>;

const NO_PARAMS: unknown = Object.freeze({});

/**
 * Answers every request. Writes to a path without parameters, which is nearly all of the load, are
 * looked up and go straight to their endpoint; everything else is found by Express.
 */
export function createListener(given: AppDeps): RequestListener {
  const bodyBytes = createBodyBytes(LIMITS.bodiesBytesMax);
  const sessions = sessionsOf(given);
  const findOperator = findOperatorOf(given, sessions);
  const deps = { ...given, requestId: createRequestIds(), bodyBytes, findOperator };
  const app = createApp(deps, sessions);
  const crashed = (err: unknown): void => {
    deps.logger.error({ err }, 'request.crashed');
  };
  const writes = new Map(
    deps.endpoints
      .filter(({ method, path }) => method === 'POST' && !path.includes(':'))
      .map((endpoint) => [endpoint.path, handlerOf(deps, endpoint)] as const),
  );
  const refuseMalformed = refuse(deps, 'none', malformed);
  return (request, response) => {
    if (isMalformed(request)) {
      supervise(refuseMalformed(request, response), crashed);
      return;
    }
    const write = request.method === 'POST' ? writes.get(request.url ?? '') : undefined;
    if (write === undefined) {
      app(request, response);
      return;
    }
    supervise(write(request, response, NO_PARAMS), crashed);
  };
}

function sessionsOf({ admin, clock }: AppDeps): AdminSessions | undefined {
  const { password, signOuts } = admin;
  return password === undefined ? undefined : createAdminSessions({ password, signOuts, clock });
}

function findOperatorOf({ admin }: AppDeps, sessions: AdminSessions | undefined): FindOperator {
  if (sessions === undefined) return () => Promise.resolve(undefined);
  return createOperators({ sessions, tenants: admin.tenants });
}

const NO_HOST = 'A request of HTTP/1.1 needs a Host header';
const NO_ADDRESS = 'This is no address that a request can have';
const NO_EXPECTATION = 'Only "Expect: 100-continue" is known here';

function isMalformed({ headers, httpVersion, url = '/' }: IncomingMessage): boolean {
  if (headers.host === undefined && httpVersion === '1.1') return true;
  return !isMet(headers.expect) || !isAddress(url);
}

/** `100-continue` is Node's to meet. */
function isMet(expect: string | undefined): boolean {
  return expect === undefined || expect.toLowerCase() === '100-continue';
}

/** A path, as nearly always, or a whole URL, as to a proxy. Express has no answer to anything else. */
function isAddress(url: string): boolean {
  return url.startsWith('/') || URL.canParse(url);
}

/** What Node or Express would refuse with a body of their own, or without one. */
function malformed({ headers, url = '/' }: IncomingMessage): AppError {
  if (!isMet(headers.expect)) return new AppError('expectation_failed', NO_EXPECTATION);
  return isAddress(url)
    ? new AppError('invalid_header', NO_HOST)
    : new AppError('invalid_request', NO_ADDRESS);
}

/** The routes, in the order of matching. */
function createApp(deps: AppDeps & AdapterDeps, sessions: AdminSessions | undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false); // endpoints parse their own
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  for (const endpoint of deps.endpoints) {
    const method = EXPRESS_METHODS[endpoint.method];
    const handle = handlerOf(deps, endpoint);
    app[method](endpoint.path, (request, response) => handle(request, response, request.params));
  }
  for (const { path, answer } of PUBLIC_PAGES) {
    app.get(path, (request, response) => {
      const { url, params } = request;
      const work = () => answer(deps.pages, { url, params });
      return exchange(deps, { request, response, route: path, work });
    });
  }
  for (const [path, allow] of methodsByPath(deps.endpoints)) {
    app.all(path, refuse(deps, path, wrongMethod(allow)));
  }
  app.use('/admin', createAdminRouter({ ...deps, ...deps.admin, sessions }));
  app.use(refuse(deps, 'none', noSuchRoute));
  app.use(errorHandler(deps));
  return app;
}

function methodsByPath(endpoints: readonly Endpoint[]): ReadonlyMap<string, string> {
  const paths = [...endpoints.map(({ path }) => path), ...PUBLIC_PAGES.map(({ path }) => path)];
  return new Map(
    paths.map((path) => {
      const methods = endpoints.filter((one) => one.path === path).map(({ method }) => method);
      return [path, methods.length === 0 ? 'GET' : [...new Set(methods)].join(', ')];
    }),
  );
}

function wrongMethod(allow: string) {
  return ({ method = '' }: IncomingMessage): AppError =>
    new AppError('method_not_allowed', `There is no ${method} here; use ${allow}`, {
      context: { allow },
    });
}

function noSuchRoute(request: IncomingMessage): AppError {
  return new AppError('route_not_found', `There is nothing at ${pathOf(request)}`);
}

function refuse(deps: AdapterDeps, route: string, errorOf: (request: IncomingMessage) => AppError) {
  return (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    exchange(deps, {
      request,
      response,
      route,
      work: () => {
        throw errorOf(request);
      },
    });
}

/** What Express itself throws: a path that cannot be decoded. Endpoints answer their own errors. */
function errorHandler(deps: AdapterDeps) {
  // eslint-disable-next-line @typescript-eslint/max-params -- Express knows it by its four parameters
  return (error: unknown, request: Request, response: Response, _next: NextFunction) =>
    exchange(deps, {
      request,
      response,
      route: 'none',
      work: () => {
        throw error instanceof URIError
          ? new AppError('invalid_request', 'The path is not validly encoded', { cause: error })
          : error;
      },
    });
}
