import type { IncomingMessage } from 'node:http';
import { ExpressAdapter } from '@bull-board/express';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { AppError } from '../../core/kernel/errors.ts';
import type { SignOutStore } from '../../core/access/sign-out-store.ts';
import { DEFAULT_TENANT_ID } from '../../core/tenants/tenant.ts';
import { type QueueSource, mountBoard } from '../../queues/board.ts';
import { addressGroup } from '../http/address-group.ts';
import { type BodySpec, readBody } from '../http/body.ts';
import { type ExchangeDeps, createHandler } from '../http/exchange.ts';
import { queryOf } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { pageStages } from '../http/stages.ts';
import type { ServicesByTenant } from '../services/services.ts';
import { TIMELINE_ENTRIES_MAX } from '../routes/operations/get-timeline.ts';
import { redirect } from './html.ts';
import { homePage, lockedPage, loginPage, missingPage, operationPageOf } from './pages.ts';
import { type AdminSession, type AdminSessions, createAdminSessions } from './session.ts';
import { createThrottle } from './throttle.ts';

export interface AdminDeps extends ExchangeDeps {
  readonly services: ServicesByTenant;
  readonly queues: QueueSource;
  /** False while Redis is away. */
  readonly hasQueues: () => boolean;
  /** Undefined: the admin pages say that they are shut. */
  readonly password: string | undefined;
  readonly signOuts: SignOutStore;
}

const LOGIN = '/admin/login';

/** Everything under /admin: sign-in, the operation page, Bull Board. */
export function createAdminRouter(deps: AdminDeps): Router {
  const router = express.Router();
  const page =
    (route: string, work: (request: Request) => Promise<Reply> | Reply) =>
    (request: Request, response: Response) =>
      exchange(deps, { request, response, route, work: () => work(request) });

  const { password } = deps;
  if (password === undefined) {
    router.use(page('/admin', () => lockedPage()));
    return router;
  }
  const sessions = createAdminSessions({ ...deps, password });
  const login = createLogin(sessions, deps);

  router.get(
    '/login',
    page(LOGIN, () => loginPage()),
  );
  router.post('/login', page(LOGIN, login));
  router.use(requireSession(deps, sessions));
  const signedIn =
    (work: (session: AdminSession, request: Request) => Promise<Reply> | Reply) =>
    async (request: Request): Promise<Reply> => {
      const session = await sessions.find(request);
      return session === undefined ? redirect(LOGIN) : work(session, request);
    };
  const home = signedIn((session) => homePage(sessions.formToken(session)));
  router.get('/', page('/admin', home));
  router.post('/logout', page('/admin/logout', signedIn(createLogout(sessions))));
  const lookUp = signedIn((session, request) =>
    // Without an id there is nothing to be led to but this address again.
    namesOperation(request) ? redirectToOperation(request) : homePage(sessions.formToken(session)),
  );
  router.get(['/operations', '/operations/'], page('/admin/operations', lookUp));
  const show = signedIn((session, request) =>
    operationReply(deps, { request, formToken: sessions.formToken(session) }),
  );
  router.get('/operations/:id', page('/admin/operations/:id', show));
  router.use('/queues', guardBoard(deps), boardPolicy, createBoard(deps.queues));
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
  const refuse = ({ method, headers }: Request): Reply => {
    if (method === 'GET' && (headers.accept ?? '').includes('text/html')) return redirect(LOGIN);
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
function answer(deps: AdminDeps, one: PageExchange): void {
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
    const password = (await readBody(request, formBody)).get('password') ?? '';
    const address = request.socket.remoteAddress ?? '';
    // A browser that has signed in before does not wait for those who guess from its address: behind
    // a proxy that is everybody.
    const known = sessions.knownAs(request);
    const guesser = known === undefined ? addressGroup(address) : `known ${known}`;
    // From here to the verdict nothing waits, so attempts at once are counted one by one.
    const seconds = throttle.waitSeconds(guesser);
    if (seconds > 0) {
      const message = `Too many attempts. Try again in ${seconds} seconds.`;
      return loginPage({ status: 429, message, headers: { 'Retry-After': String(seconds) } });
    }
    if (!sessions.isPassword(password)) {
      throttle.failed(guesser);
      logger.warn({ address }, 'admin.login.failed');
      return loginPage({ status: 401, message: 'That is not the password.' });
    }
    throttle.succeeded(guesser);
    logger.info({ address }, 'admin.login.succeeded');
    const cookies = [
      sessions.open(request),
      ...(known === undefined ? [sessions.know(request)] : []),
    ];
    return redirect('/admin', { 'Set-Cookie': cookies });
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
function assertSameOrigin({ headers }: IncomingMessage): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new AppError('forbidden', 'The form comes from another site');
  }
}

function namesOperation({ url = '' }: IncomingMessage): boolean {
  return String(queryOf(url)['id'] ?? '').trim() !== '';
}

function redirectToOperation(request: IncomingMessage): Reply {
  const { id = '', tenant = DEFAULT_TENANT_ID } = queryOf(request.url ?? '');
  const path = encodeURIComponent(String(id).trim());
  return redirect(`/admin/operations/${path}?tenant=${encodeURIComponent(String(tenant))}`);
}

interface OperationRequest {
  readonly request: Request;
  readonly formToken: string;
}

/** Operators see every tenant, one at a time: the tenant is named in the address. */
async function operationReply(
  deps: AdminDeps,
  { request, formToken }: OperationRequest,
): Promise<Reply> {
  const { tenant = DEFAULT_TENANT_ID } = queryOf(request.url);
  const id = String(request.params['id']);
  const scope = { tenantId: String(tenant), currencies: [] };
  const services = await deps.services.of(scope.tenantId);
  const operation = await services.operations(scope).find(id);
  if (operation === undefined) return missingPage(formToken, id);
  const audit = await services.auditOf(scope, operation._id);
  const entries = await services
    .ledger(scope)
    .entriesOfOperation(operation._id, TIMELINE_ENTRIES_MAX);
  return operationPageOf({ operation, entries, audit, registry: services.registry, formToken });
}
