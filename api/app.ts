import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { AppError } from '../core/kernel/errors.ts';
import { type AdapterDeps, exchange, handlerOf, pathOf } from './adapter.ts';
import { type AdminDeps, createAdminRouter } from './admin/router.ts';
import type { Endpoint } from './endpoint.ts';
import { PUBLIC_PAGES, type PublicServices } from './public-pages.ts';

export interface AppDeps extends AdapterDeps {
  readonly endpoints: readonly Endpoint[];
  readonly pages: PublicServices;
  readonly admin: Pick<AdminDeps, 'queues' | 'hasQueues' | 'password'>;
}

/**
 * The routes, in the order of matching: what is written most comes first, and nothing stands before
 * it that every request would have to pass.
 */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false); // endpoints parse their own
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  for (const endpoint of deps.endpoints) {
    const method = endpoint.method === 'GET' ? 'get' : 'post';
    app[method](endpoint.path, handlerOf(deps, endpoint));
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
  app.use('/admin', createAdminRouter({ ...deps, ...deps.admin }));
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
