import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { LIMITS } from '../config/limits.ts';
import { AppError } from '../core/kernel/errors.ts';
import { createRequestIds } from '../core/kernel/ids.ts';
import { supervise } from '../core/kernel/supervise.ts';
import { type FindOperator, createOperators } from './admin/operator.ts';
import { type AdminDeps, createAdminRouter } from './admin/router.ts';
import { type AdminSessions, type SessionsDeps, createAdminSessions } from './admin/session.ts';
import { type CorsOrigins, createCors } from './http/cors.ts';
import { createBodyBytes } from './http/body-bytes.ts';
import type { Endpoint, EndpointDeps } from './http/endpoint.ts';
import { type ExchangeDeps, createHandler } from './http/exchange.ts';
import { pathOf } from './http/path.ts';
import { type Found, type Router, createRouter, routedPathOf } from './http/router.ts';
import { type StageDeps, pageStages, stagesOf } from './http/stages.ts';

export interface AppDeps
  extends Omit<StageDeps, 'requestId' | 'findOperator'>, Omit<EndpointDeps, 'bodyBytes'> {
  readonly endpoints: readonly Endpoint[];
  /** Undefined: no page of another origin may read answers. */
  readonly cors?: CorsOrigins;
  readonly admin: Pick<AdminDeps, 'queues' | 'hasQueues' | 'tenants'> &
    Pick<SessionsDeps, 'signOuts'> & { readonly password: string | undefined };
}

interface Deps extends AppDeps, StageDeps, EndpointDeps {}

/** Answers every request: endpoints by the router, the admin pages by Express, the rest with why not. */
export function createListener(given: AppDeps): RequestListener {
  const bodyBytes = createBodyBytes(LIMITS.bodiesBytesMax);
  const sessions = sessionsOf(given);
  const findOperator = findOperatorOf(given, sessions);
  const deps: Deps = { ...given, requestId: createRequestIds(), bodyBytes, findOperator };
  const app = createAdminApp(deps, sessions);
  const router = createRouter(deps.endpoints.map((endpoint) => routeOf(deps, endpoint)));
  const refuse = createRefusal(deps);
  const crashed = (err: unknown): void => {
    deps.logger.error({ err }, 'request.crashed');
  };
  const cors = given.cors === undefined ? undefined : createCors(given.cors);
  return (request, response) => {
    if (cors?.(request, response) === true) return;
    const found = isMalformed(request) ? malformed(request) : look(router, request);
    if (found === undefined) app(request, response);
    else if (found instanceof AppError) supervise(refuse(request, response, found), crashed);
    else supervise(found.handle(request, response, found.params), crashed);
  };
}

function sessionsOf({ admin, clock }: AppDeps): AdminSessions | undefined {
  const { password, signOuts } = admin;
  return password === undefined ? undefined : createAdminSessions({ password, signOuts, clock });
}

function findOperatorOf({ admin }: AppDeps, sessions: AdminSessions | undefined): FindOperator {
  if (sessions === undefined) return () => undefined;
  return createOperators({ sessions, tenants: admin.tenants });
}

function routeOf(deps: Deps, endpoint: Endpoint) {
  const { method, path } = endpoint;
  const handle = createHandler(deps, path, {
    stages: stagesOf(endpoint, deps),
    work: (one) => endpoint.run(one, deps),
  });
  return { method, path, handle };
}

function look(router: Router, request: IncomingMessage): Found | AppError | undefined {
  try {
    return router.find(request.method ?? 'GET', routedPathOf(request));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
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

/** Everything under /admin, and what is nowhere. */
function createAdminApp(deps: Deps, sessions: AdminSessions | undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false); // pages parse their own
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  const refuse = createRefusal(deps);
  app.use('/admin', createAdminRouter({ ...deps, ...deps.admin, sessions }));
  app.use((request, response) => refuse(request, response, noSuchRoute(request)));
  // eslint-disable-next-line @typescript-eslint/max-params -- Express knows it by its four parameters
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    refuse(request, response, ofExpress(error)),
  );
  return app;
}

function noSuchRoute(request: IncomingMessage): AppError {
  return new AppError('route_not_found', `There is nothing at ${pathOf(request)}`);
}

/** What Express itself throws: a path that cannot be decoded. Pages answer their own errors. */
function ofExpress(error: unknown): unknown {
  if (!(error instanceof URIError)) return error;
  return new AppError('invalid_request', 'The path is not validly encoded', { cause: error });
}

/** Answers with an error, whatever was asked. `params` of the handler are the error. */
function createRefusal(deps: ExchangeDeps) {
  const work = ({ params: error }: { readonly params: unknown }): never => {
    throw error;
  };
  const handle = createHandler(deps, 'none', { stages: pageStages(deps), work });
  return (request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> =>
    handle(request, response, error);
}
