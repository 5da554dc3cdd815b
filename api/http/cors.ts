import type { IncomingMessage, ServerResponse } from 'node:http';
import { pathOf } from './path.ts';

/** Whose pages in a browser may read answers: any origin, or these. */
export type CorsOrigins = '*' | readonly string[];

/** Answers a preflight (true), or says on the answer to come that the page may read it. */
export type Cors = (request: IncomingMessage, response: ServerResponse) => boolean;

const ALLOWED = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers':
    'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, ' +
    'traceparent, X-Correlation-Id',
  'Access-Control-Max-Age': '600',
} as const;

const EXPOSED =
  'ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, ' +
  'WWW-Authenticate, X-Correlation-Id, X-Read-From';

/**
 * CORS (Fetch, 3.2) for the API, never for the admin pages: they go by a cookie, which is never allowed
 * to come from another site. Keys travel in a header of the client's, so credentials stay off.
 */
export function createCors(origins: CorsOrigins): Cors {
  const isWelcome = (origin: string): boolean => origins === '*' || origins.includes(origin);
  return (request, response) => {
    const { origin } = request.headers;
    if (isAdmin(pathOf(request))) return false;
    if (origins !== '*') response.setHeader('Vary', 'Origin');
    if (origin === undefined || !isWelcome(origin)) return false;
    response.setHeader('Access-Control-Allow-Origin', origins === '*' ? '*' : origin);
    const isPreflight =
      request.method === 'OPTIONS' &&
      request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight) {
      response.setHeader('Access-Control-Expose-Headers', EXPOSED);
      return false;
    }
    for (const [name, value] of Object.entries(ALLOWED)) response.setHeader(name, value);
    response.writeHead(204).end();
    return true;
  };
}

function isAdmin(path: string): boolean {
  return path === '/admin' || path.startsWith('/admin/');
}
