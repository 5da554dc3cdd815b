import type { IncomingMessage } from 'node:http';
import { ExpressAdapter } from '@bull-board/express';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { AppError } from '../../core/kernel/errors.ts';
import type { TenantStore } from '../../core/tenants/tenant-store.ts';
import { type QueueSource, mountBoard } from '../../queues/board.ts';
import { addressGroup } from '../http/address-group.ts';
import { type BodySpec, readBody } from '../http/body.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { type ExchangeDeps, createHandler } from '../http/exchange.ts';
import { queryOf } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { pageStages } from '../http/stages.ts';
import { createConsoleFiles } from './console-files.ts';
import { redirect } from './html.ts';
import { lockedPage, loginPage } from './pages.ts';
import { isSameOrigin } from './same-origin.ts';
import { sessionReply } from './session-info.ts';
import type { AdminSession, AdminSessions } from './session.ts';
import { createThrottle } from './throttle.ts';

export interface AdminDeps extends ExchangeDeps {
  readonly endpoints: readonly Endpoint[];
  readonly queues: QueueSource;
  /** False while Redis is away. */
  readonly hasQueues: () => boolean;
  /** Undefined: the admin pages say that they are shut. */
  readonly sessions: AdminSessions | undefined;
  readonly tenants: Pick<TenantStore, 'find' | 'list'>;
}

const LOGIN = '/admin/login';
const HOME = '/admin';
const ADDRESS_CHARS_MAX = 2_000;

function loginUrl(wanted: string): string {
  return wanted === HOME || wanted === `${HOME}/`
    ? LOGIN
    : `${LOGIN}?next=${encodeURIComponent(nextOf(wanted))}`;
}

/** Where whoever signs in wanted to go: one of our own pages, or the first of them. */
function nextOf(wanted: unknown): string {
  const isOurs =
    typeof wanted === 'string' &&
    wanted.length <= ADDRESS_CHARS_MAX &&
    /^\/admin(?:[/?][\x21-\x7e]*)?$/.test(wanted);
  return isOurs ? wanted : HOME;
}

/** Everything under /admin: sign-in, the console, Bull Board. */
export function createAdminRouter(deps: AdminDeps): Router {
  const router = express.Router();
  const page =
    (route: string, work: (request: Request) => Promise<Reply> | Reply) =>
    (request: Request, response: Response) =>
      exchange(deps, { request, response, route, work: () => work(request) });

  const { sessions } = deps;
  if (sessions === undefined) {
    router.use(page('/admin', () => lockedPage()));
    return router;
  }
  const files = createConsoleFiles();
  const login = createLogin(sessions, deps);
  const signedIn =
    (work: (session: AdminSession, request: Request) => Promise<Reply> | Reply) =>
    async (request: Request): Promise<Reply> => {
      const session = await sessions.find(request);
      return session === undefined ? redirect(LOGIN) : work(session, request);
    };

  router.get(
    '/login',
    page(LOGIN, (request) => loginPage({ next: nextOf(queryOf(request.url)['next']) })),
  );
  router.post('/login', page(LOGIN, login));
  // They tell nothing of anybody.
  const asset = (request: Request): Reply => files.asset(String(request.params['name']));
  router.get('/assets/:name', page('/admin/assets/:name', asset));
  router.use(requireSession(deps, sessions));
  const info = signedIn((session) => sessionReply(deps, session, sessions.formToken(session)));
  router.get('/session', page('/admin/session', info));
  router.post('/logout', page('/admin/logout', signedIn(createLogout(sessions))));
  router.use('/queues', guardBoard(deps), boardPolicy, createBoard(deps.queues));
  const lost = (): never => {
    throw new AppError('route_not_found', 'The board has no such page');
  };
  router.use('/queues', page('/admin/queues', lost));
  // Every other address is for the console to understand.
  router.get(
    '/{*path}',
    page('/admin', () => files.page()),
  );
  return router;
}

function createBoard(queues: AdminDeps['queues']): Router {
  const serverAdapter = new ExpressAdapter().setBasePath('/admin/queues');
  mountBoard({
    queues,
    serverAdapter,
    operationUrl: (operationId, tenantId) =>
      `/admin/operations/${operationId}?tenant=${encodeURIComponent(tenantId)}`,
  });
  return serverAdapter.getRouter() as Router; // declared `any`; it is an Express application
}

/** The board brings its own scripts and inline styles, and nothing from elsewhere. */
function boardPolicy(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
      "font-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  );
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'same-origin');
  next();
}

/**
 * Money queues are for looking at: whatever the board's own switch leaves open ends here. And
 * without Redis its questions would wait for it, so they are answered here as well.
 */
function guardBoard(deps: AdminDeps) {
  const refusalOf = ({ method, path }: Request): AppError | undefined => {
    if (method !== 'GET' && method !== 'HEAD') {
      const detail = 'The queues are read-only here; use the admin API';
      return new AppError('method_not_allowed', detail, { context: { allow: 'GET, HEAD' } });
    }
    return path.startsWith('/api/') && !deps.hasQueues()
      ? new AppError('queue_unavailable', 'Redis is not connected')
      : undefined;
  };
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = refusalOf(request);
    if (refusal === undefined) {
      next();
      return;
    }
    const work = (): never => {
      throw refusal;
    };
    answer(deps, { request, response, route: '/admin/queues', work });
  };
}

interface PageExchange {
  readonly request: Request;
  readonly response: Response;
  readonly route: string;
  readonly work: () => Promise<Reply> | Reply;
}

/** Does the work of a page and answers it, whatever happens. Never rejects. */
function exchange(deps: ExchangeDeps, one: PageExchange): Promise<void> {
  const { request, response, route, work } = one;
  return createHandler(deps, route, { stages: pageStages(deps), work })(request, response, {});
}

/** Pages lead to the login form, scripts get a problem document. */
function requireSession(deps: AdminDeps, sessions: AdminSessions) {
  const refuse = ({ method, headers, originalUrl }: Request): Reply => {
    const isPage = method === 'GET' && (headers.accept ?? '').includes('text/html');
    if (isPage) return redirect(loginUrl(originalUrl));
    throw new AppError('unauthenticated', 'Sign in at /admin/login');
  };
  return (request: Request, response: Response, next: NextFunction): void => {
    const answerWith = (work: () => Reply): void => {
      answer(deps, { request, response, route: '/admin', work });
    };
    sessions.find(request).then(
      (session) => {
        if (session === undefined) answerWith(() => refuse(request));
        else next();
      },
      (error: unknown) => {
        answerWith(() => {
          throw error;
        });
      },
    );
  };
}

/** `exchange` never rejects. */
function answer(deps: AdminDeps, one: Parameters<typeof exchange>[1]): void {
  exchange(deps, one).catch((err: unknown) => {
    deps.logger.error({ err }, 'request.crashed');
  });
}

const formBody: BodySpec<URLSearchParams> = {
  accepts: ['application/x-www-form-urlencoded'],
  parse: (text) => new URLSearchParams(text),
};

function createLogin(sessions: AdminSessions, { clock, logger }: AdminDeps) {
  const throttle = createThrottle(clock);
  return async (request: IncomingMessage): Promise<Reply> => {
    assertSameOrigin(request);
    const form = await readBody(request, formBody);
    const password = form.get('password') ?? '';
    const next = nextOf(form.get('next'));
    const address = request.socket.remoteAddress ?? '';
    // A browser that has signed in before does not wait for those who guess from its address: behind
    // a proxy that is everybody.
    const known = sessions.knownAs(request);
    const guesser = known === undefined ? addressGroup(address) : `known ${known}`;
    // From here to the verdict nothing waits, so attempts at once are counted one by one.
    const seconds = throttle.waitSeconds(guesser);
    if (seconds > 0) {
      const message = `Too many attempts. Try again in ${seconds} seconds.`;
      const headers = { 'Retry-After': String(seconds) };
      return loginPage({ next, status: 429, message, headers });
    }
    if (!sessions.isPassword(password)) {
      throttle.failed(guesser);
      logger.warn({ address }, 'admin.login.failed');
      return loginPage({ next, status: 401, message: 'That is not the password.' });
    }
    throttle.succeeded(guesser);
    logger.info({ address }, 'admin.login.succeeded');
    const cookies = [
      sessions.open(request),
      ...(known === undefined ? [sessions.know(request)] : []),
    ];
    return redirect(next, { 'Set-Cookie': cookies });
  };
}

function createLogout(sessions: AdminSessions) {
  return async (session: AdminSession, request: IncomingMessage): Promise<Reply> => {
    assertSameOrigin(request);
    const token = (await readBody(request, formBody)).get('token') ?? '';
    if (!sessions.isFormToken(session, token)) {
      throw new AppError('forbidden', 'The form is not one of this session');
    }
    return redirect(LOGIN, { 'Set-Cookie': await sessions.close(session, request) });
  };
}

/** Browsers say where a form comes from; other clients need not. */
function assertSameOrigin(request: IncomingMessage): void {
  if (request.headers.origin === undefined || isSameOrigin(request)) return;
  throw new AppError('forbidden', 'The form comes from another site');
}
