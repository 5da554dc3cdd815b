import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Method } from '../../../../api/http/endpoint.ts';
import { createRouter, routedPathOf } from '../../../../api/http/router.ts';
import { AppError } from '../../../../core/kernel/errors.ts';

const route = (method: Method, path: string) => ({ method, path, handle: async () => undefined });
const routes = [
  route('POST', '/v1/things'),
  route('POST', '/v1/things/bulk'),
  route('GET', '/v1/things/:id'),
  route('GET', '/v1/things'),
  route('GET', '/v1/things/:id/parts/:part'),
  route('DELETE', '/v1/things/:id'),
];
const router = createRouter(routes);

function pathAt(method: string, path: string): unknown {
  const found = router.find(method, path);
  const known = routes.find(({ handle }) => handle === found?.handle);
  return found === undefined ? undefined : [known?.method, known?.path, found.params];
}

function refusalOf(method: string, path: string): unknown {
  try {
    return router.find(method, path);
  } catch (error) {
    return error instanceof AppError ? [error.code, error.context?.['allow']] : error;
  }
}

describe('routes are found', () => {
  it.each([
    ['POST', '/v1/things', ['POST', '/v1/things', {}]],
    ['GET', '/v1/things', ['GET', '/v1/things', {}]],
    ['HEAD', '/v1/things', ['GET', '/v1/things', {}]],
    ['POST', '/v1/things/bulk', ['POST', '/v1/things/bulk', {}]],
    // No route of its own for this method: then it is an id like any other.
    ['GET', '/v1/things/bulk', ['GET', '/v1/things/:id', { id: 'bulk' }]],
    ['GET', '/v1/things/a%2Fb', ['GET', '/v1/things/:id', { id: 'a/b' }]],
    ['GET', '/v1/things/__proto__', ['GET', '/v1/things/:id', { id: '__proto__' }]],
    ['GET', '/v1/things/a/parts/7', ['GET', '/v1/things/:id/parts/:part', { id: 'a', part: '7' }]],
  ])('%s %s', (method, path, wanted) => {
    expect(pathAt(method, path)).toEqual(wanted);
  });

  it.each(['/', '/v1/things/', '/V1/things', '/v1/things//parts/7', '//v1/things', '/v1/%74hings'])(
    'nothing at %s',
    (path) => {
      expect(pathAt('GET', path)).toBeUndefined();
    },
  );
});

describe('what a path does not have is refused', () => {
  it.each([
    ['PUT', '/v1/things', 'POST, GET'],
    ['PUT', '/v1/things/x', 'GET, DELETE'],
    ['OPTIONS', '/v1/things/bulk', 'POST, GET, DELETE'],
    ['POST', '/v1/things/a/parts/7', 'GET'],
  ])('%s %s: there are %s', (method, path, allow) => {
    expect(refusalOf(method, path)).toEqual(['method_not_allowed', allow]);
  });

  it('a parameter that cannot be decoded', () => {
    expect(refusalOf('GET', '/v1/things/%E0%A4%A')).toEqual(['invalid_request', undefined]);
  });
});

it.each([
  ['/v1/things?limit=1', '/v1/things'],
  ['http://host.test/v1/things?limit=1', '/v1/things'],
  ['http://host.test', '/'],
  ['*', '*'],
])('the path of %s is %s', (url, path) => {
  expect(routedPathOf({ url } as IncomingMessage)).toBe(path);
});
