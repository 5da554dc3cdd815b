import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { QUEUES } from '../../../queues/catalog.ts';
import { ensureConsole } from '../../../scripts/dev/console.ts';
import {
  ADMIN_PASSWORD,
  type Answer,
  type Ask,
  expectProblem,
  openApi,
  useApi,
} from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { until } from '../../support/wait.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
const FORM = 'application/x-www-form-urlencoded';
const open = { key: null } as const;

const form = (fields: Record<string, string>, ask: Ask = {}): Ask => ({
  ...open,
  ...ask,
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': FORM, ...ask.headers },
});
const cookieOf = ({ headers }: Answer): string => headers.getSetCookie()[0]?.split(';')[0] ?? '';
const page = (cookie: string): Ask => ({ ...open, headers: { cookie, accept: 'text/html' } });

const formToken = async (cookie: string): Promise<string> =>
  String((await api.ask('/admin/session', page(cookie))).body.formToken);

let cookie = '';
let operationId = '';

beforeAll(async () => {
  await ensureConsole();
  cookie = cookieOf(await api.ask('/admin/login', form({ password: ADMIN_PASSWORD })));
  const user = await succeed(api, '/v1/users', { userId: 'ann', wallets: [{ currency: 'EUR' }] });
  expect(user.status).toBe('succeeded');
  const credit = { userId: 'ann', currency: 'EUR', amount: 5, description: '<b>gift</b>' };
  operationId = (await succeed(api, '/v1/credits', credit)).id as string;
});

describe('signing in', () => {
  it('shows a form, and leads to the pages with the right password', async () => {
    const shown = await api.ask('/admin/login', open);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('<form method="post" action="/admin/login">');
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    const answer = await api.ask('/admin/login', form({ password: ADMIN_PASSWORD }));
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/admin');
    const cookies = answer.headers.getSetCookie();
    expect(cookies.map((one) => one.split('=')[0])).toEqual([
      'sluice_session',
      'sluice_admin_known',
    ]);
    for (const one of cookies) expect(one).toMatch(/; HttpOnly; SameSite=Strict$/);
  });

  it('refuses a wrong password', async () => {
    const answer = await api.ask('/admin/login', form({ password: 'wrong' }));
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('That is not the password.');
    expect(answer.headers.get('set-cookie')).toBeNull();
    await api.ask('/admin/login', form({ password: ADMIN_PASSWORD })); // the failure is forgiven
  });

  it.each(['https://evil.example', 'null'])('refuses a form from %s', async (origin) => {
    const answer = await api.ask(
      '/admin/login',
      form({ password: ADMIN_PASSWORD }, { headers: { origin } }),
    );
    expectProblem(answer, 403, 'forbidden');
  });

  it('takes the form of its own page', async () => {
    const ask = form({ password: ADMIN_PASSWORD }, { headers: { origin: api.url } });
    expect((await api.ask('/admin/login', ask)).status).toBe(303);
  });

  it.each(['/admin', '/admin/queues', '/admin/operations?status=rejected&type=transfer'])(
    'is needed for %s, and leads there afterwards',
    async (path) => {
      const answer = await api.ask(path, page(''));
      expect(answer.status).toBe(303);
      const login = answer.headers.get('location') ?? '';
      expect(login).toBe(
        path === '/admin' ? '/admin/login' : `/admin/login?next=${encodeURIComponent(path)}`,
      );
      const shown = await api.ask(login, page(''));
      const next = /name="next" value="([^"]+)"/.exec(shown.text)?.[1]?.replaceAll('&amp;', '&');
      const fields = { password: ADMIN_PASSWORD, next: next ?? '' };
      const signedIn = await api.ask('/admin/login', form(fields));
      expect(signedIn.headers.get('location')).toBe(path);
    },
  );

  it.each([
    'https://evil.example/admin',
    '//evil.example/admin',
    '/admin\\evil',
    '/administrator',
    '/admin/x\r\nSet-Cookie: a=b',
    '/v1/users',
  ])('leads nowhere else: %j', async (next) => {
    const answer = await api.ask('/admin/login', form({ password: ADMIN_PASSWORD, next }));
    expect(answer.headers.get('location')).toBe('/admin');
    const shown = await api.ask(`/admin/login?next=${encodeURIComponent(next)}`, page(''));
    expect(shown.text).toContain('name="next" value="/admin"');
  });

  it('is needed for what the board asks for, too', async () => {
    expectProblem(await api.ask('/admin/queues/api/queues', open), 401, 'unauthenticated');
    const withKey = await api.ask('/admin/queues/api/queues');
    expectProblem(withKey, 401, 'unauthenticated'); // an API key is not a session
  });

  it('slows down who guesses, and lets in whoever then has it right', async () => {
    const own = await openApi(nameOfTest());
    onTestFinished(() => own.close());
    const attempt = (password: string, headers = {}) =>
      own.ask('/admin/login', form({ password }, { headers }));
    const known = (await attempt(ADMIN_PASSWORD)).headers
      .getSetCookie()
      .find((one) => one.startsWith('sluice_admin_known='));
    let answer = await attempt('wrong');
    for (let guess = 1; guess < 12 && answer.status === 401; guess += 1) {
      answer = await attempt('wrong');
    }
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    // From the same address, in a browser that has signed in before: at once.
    const cookie = known?.split(';')[0] ?? '';
    expect((await attempt(ADMIN_PASSWORD, { cookie })).status).toBe(303);
    await until(async () => (await attempt(ADMIN_PASSWORD)).status === 303, 'the pause is over');
  });

  it('is not possible without a password in the environment', async () => {
    const own = await openApi(nameOfTest(), { env: { ADMIN_PASSWORD: undefined } });
    onTestFinished(() => own.close());
    for (const path of ['/admin', '/admin/login', '/admin/queues']) {
      const answer = await own.ask(path, page(''));
      expect(answer.status).toBe(503);
      expect(answer.text).toContain('ADMIN_PASSWORD');
    }
  });
});

describe('signing out', () => {
  it('needs a form of the session', async () => {
    const cookie = cookieOf(await api.ask('/admin/login', form({ password: ADMIN_PASSWORD })));
    const forged = await api.ask('/admin/logout', form({ token: 'x' }, { headers: { cookie } }));
    expectProblem(forged, 403, 'forbidden');
    const token = await formToken(cookie);
    const answer = await api.ask('/admin/logout', form({ token }, { headers: { cookie } }));
    expect(answer.status).toBe(303);
    expect(answer.headers.get('set-cookie')).toContain('sluice_session=; Path=/; Max-Age=0');
  });

  it('ends the session for a copy of its cookie, in every process and for no other session', async () => {
    const another = await openApi(nameOfTest(), { env: { MONGO_DB: api.platform.env.MONGO_DB } });
    onTestFinished(() => another.close());
    const signIn = async () =>
      cookieOf(await api.ask('/admin/login', form({ password: ADMIN_PASSWORD })));
    const [copied, other] = [await signIn(), await signIn()];
    for (const one of [api, another]) {
      expect((await one.ask('/admin', page(copied))).status).toBe(200);
    }
    const token = await formToken(copied);
    await api.ask('/admin/logout', form({ token }, { headers: { cookie: copied } }));
    for (const one of [api, another]) {
      for (const path of ['/admin', '/admin/queues']) {
        const answer = await one.ask(path, page(copied));
        expect(answer.headers.get('location')).toMatch(/^\/admin\/login/);
      }
      expect((await one.ask('/admin', page(other))).status).toBe(200);
    }
  });
});

describe('the console', () => {
  it.each([
    '/admin',
    '/admin/',
    '/admin/operations',
    '/admin/users/a%2Fb?tenant=x',
    '/admin/nowhere',
  ])('is one page at every address: %s', async (path) => {
    const { status, headers, text } = await api.ask(path, page(cookie));
    expect({ status, cache: headers.get('cache-control') }).toEqual({
      status: 200,
      cache: 'no-cache',
    });
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'self'; object-src 'none'/,
    );
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(text).toContain('<div id="app"></div>');
    expect(text).not.toMatch(/<script>|<style|\son\w+=|style=/); // nothing inline
  });

  it('has files that keep for ever, under names that change with them', async () => {
    const { text } = await api.ask('/admin', page(cookie));
    const files = [...text.matchAll(/(?:src|href)="(\/admin\/assets\/[\w-]+\.(?:js|css|svg))"/g)];
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const [, path = ''] of files) {
      expect(path).toMatch(/-[\w-]{8}\.\w+$/);
      const { status, headers } = await api.ask(path, open);
      expect({ status, cache: headers.get('cache-control') }).toEqual({
        status: 200,
        cache: 'public, max-age=31536000, immutable',
      });
      expect(headers.get('content-type')).toMatch(/^(text\/(javascript|css)|image\/svg)/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each(['nothing.js', '..%2f..%2fsources.txt', '%2e%2e%2findex.html'])(
    'serves no other file: %s',
    async (name) => {
      expectProblem(await api.ask(`/admin/assets/${name}`, open), 404, 'not_found');
    },
  );

  it('is told who has signed in, which tenants there are, and what buttons do', async () => {
    expectProblem(await api.ask('/admin/session', open), 401, 'unauthenticated');
    const { body } = await api.ask('/admin/session', page(cookie));
    expect(body).toMatchObject({
      operator: 'admin',
      tenants: [{ id: 'default', status: 'active' }],
      hasMoreTenants: false,
      words: { operationTypes: expect.arrayContaining(['transfer', 'wallet.credit']) },
    });
    expect(body.endpoints['POST /v1/operations/:id/resolve']).toMatch(/^Closes an operation/);
  });
});

describe('the board', () => {
  const queues = '/admin/queues/api/queues';

  it('shows the queues, read-only, and links jobs to their operation', async () => {
    const list = await api.ask(
      `${queues}?activeQueue=settlement-0&status=latest&page=1&jobsPerPage=10`,
      page(cookie),
    );
    const shown = list.body.queues as readonly { name: string; readOnlyMode: boolean }[];
    expect(shown.map(({ name, readOnlyMode }) => ({ name, readOnlyMode }))).toEqual(
      [...QUEUES.keys()].map((name) => ({ name, readOnlyMode: true })),
    );
    const stored = await api.db.collection('operations').findOne({ _id: operationId as never });
    const queue = stored?.['dispatch'].queue as string;
    const job = await api.ask(`${queues}/${queue}/${operationId}.1`, page(cookie));
    expect(job.body.job.externalUrl).toEqual({
      displayText: operationId,
      href: `/admin/operations/${operationId}?tenant=default`,
    });
  });

  it.each([
    ['PUT', '/settlement-0/pause'],
    ['PUT', '/pause'],
    ['PUT', '/resume'],
    ['PUT', '/settlement-0/retry/failed'],
    ['PUT', '/settlement-0/obliterate'],
    ['PUT', '/settlement-0/empty'],
    ['POST', '/settlement-0/add'],
    ['PATCH', '/settlement-0/x/update-data'],
    ['DELETE', '/settlement-0'],
    ['PUT', '/events/pause'],
  ])('refuses %s %s', async (method, path) => {
    const answer = await api.ask(`${queues}${path}`, { ...page(cookie), method });
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('is not tricked by a method in a header', async () => {
    const { text } = await api.ask(`${queues}/settlement-0/pause`, {
      ...page(cookie),
      headers: { cookie, 'x-http-method-override': 'PUT' },
    });
    expect(text).not.toContain('"code":"internal"');
    const list = await api.ask(`${queues}?activeQueue=settlement-0`, page(cookie));
    const shown = list.body.queues as readonly { isPaused: boolean }[];
    expect(shown.some(({ isPaused }) => isPaused)).toBe(false);
  });

  it('does not serve files from elsewhere', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(
        {
          port: api.port,
          host: '127.0.0.1',
          path: '/admin/queues/static/../../../../package.json',
          headers: { cookie },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBeGreaterThanOrEqual(400);
  });
});
