import type { IncomingMessage } from 'node:http';
import { AppError } from '../../core/kernel/errors.ts';
import type { Method } from './endpoint.ts';
import type { Handler } from './exchange.ts';
import { pathOf } from './path.ts';

interface Route {
  readonly method: Method;
  /** `/v1/users/:userId` */
  readonly path: string;
  readonly handle: Handler;
}

export interface Found {
  readonly handle: Handler;
  readonly params: unknown;
}

export interface Router {
  /**
   * The route of a request, with what its path states.
   *
   * @throws AppError `method_not_allowed`, or `invalid_request` for a path that cannot be decoded.
   */
  find(method: string, path: string): Found | undefined;
}

type Params = Readonly<Record<string, string>>;
const NO_PARAMS: Params = Object.freeze({});

interface Pattern extends Route {
  /** Undefined: whatever is there is a parameter. */
  readonly segments: readonly (string | undefined)[];
  readonly names: readonly string[];
}

/**
 * Paths without parameters are looked up whole, which nearly all of the load is; the others are
 * tried in their order among those with as many segments. Paths are case-sensitive, and a `/` at
 * the end is another path.
 */
export function createRouter(routes: readonly Route[]): Router {
  const fixed = new Map<string, Map<string, Found>>();
  const patterns = new Map<number, Pattern[]>();
  for (const route of routes) {
    if (route.path.includes(':')) addPattern(patterns, route);
    else addFixed(fixed, route);
  }
  const byPattern = (method: string, path: string): Found | undefined => {
    const segments = path.split('/');
    for (const pattern of patterns.get(segments.length) ?? []) {
      if (pattern.method !== method || !fits(pattern, segments)) continue;
      return { handle: pattern.handle, params: paramsOf(pattern, segments) };
    }
    return undefined;
  };
  const methodsAt = (path: string): readonly string[] => {
    const segments = path.split('/');
    const fitting = (patterns.get(segments.length) ?? []).filter((one) => fits(one, segments));
    const own = fixed.get(path)?.keys() ?? [];
    return [...new Set([...own, ...fitting.map(({ method }) => method)])];
  };

  return Object.freeze({
    find: (asked: string, path: string) => {
      const method = asked === 'HEAD' ? 'GET' : asked;
      const found = fixed.get(path)?.get(method) ?? byPattern(method, path);
      if (found !== undefined) return found;
      const methods = methodsAt(path);
      if (methods.length === 0) return undefined;
      throw wrongMethod(asked, methods.join(', '));
    },
  } satisfies Router);
}

function addFixed(fixed: Map<string, Map<string, Found>>, { path, method, handle }: Route): void {
  const byMethod = fixed.get(path) ?? new Map<string, Found>();
  fixed.set(path, byMethod);
  if (!byMethod.has(method)) byMethod.set(method, { handle, params: NO_PARAMS });
}

function addPattern(patterns: Map<number, Pattern[]>, route: Route): void {
  const parts = route.path.split('/');
  const segments = parts.map((part) => (part.startsWith(':') ? undefined : part));
  const names = parts.map((part) => part.slice(1));
  const alike = patterns.get(parts.length) ?? [];
  patterns.set(parts.length, alike);
  alike.push({ ...route, segments, names });
}

/** A parameter has at least one character. */
function fits({ segments }: Pattern, parts: readonly string[]): boolean {
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment === undefined ? part === '' : segment !== part) return false;
  }
  return true;
}

function paramsOf({ segments, names }: Pattern, parts: readonly string[]): Params {
  const stated = segments.flatMap((segment, index): [string, string][] =>
    segment === undefined ? [[names[index] ?? '', decoded(parts[index] ?? '')]] : [],
  );
  return Object.fromEntries(stated);
}

function decoded(part: string): string {
  try {
    return part.includes('%') ? decodeURIComponent(part) : part;
  } catch (cause) {
    throw new AppError('invalid_request', 'The path is not validly encoded', { cause });
  }
}

function wrongMethod(method: string, allow: string): AppError {
  return new AppError('method_not_allowed', `There is no ${method} here; use ${allow}`, {
    context: { allow },
  });
}

/** Where the path of a request is looked up: one sent as to a proxy states a whole URL. */
export function routedPathOf(request: IncomingMessage): string {
  const path = pathOf(request);
  return path.startsWith('/') || !URL.canParse(path) ? path : new URL(path).pathname;
}
