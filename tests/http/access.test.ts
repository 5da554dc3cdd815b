import { beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../api/http/endpoint.ts';
import { KEYED_ENDPOINTS } from '../../api/routes/index.ts';
import { openStream } from '../../api/routes/stream/open-stream.ts';
import { SCOPES } from '../../core/access/scopes.ts';
import {
  type Answer,
  type Ask,
  expectProblem,
  freshKey,
  parametersOf,
  useApi,
} from '../support/api.ts';
import { bodyFor, samplePath } from '../support/endpoint-calls.ts';
import { type Sample, makeSample } from '../support/http-fixtures.ts';

/** Every endpoint that is registered is tested here, by being registered. */
const api = useApi({ worker: true });
let sample: Sample;
const keys = { reader: '', writer: '', byScope: new Map<string, string>() };

beforeAll(async () => {
  sample = await makeSample(api);
  await api.newTenant('reader');
  await api.newTenant('writer');
  keys.reader = await api.newKey({ tenantId: 'reader', scopes: ['admin'] });
  keys.writer = await api.newKey({ tenantId: 'writer', scopes: ['admin'] });
  for (const scope of SCOPES) {
    const scopes = SCOPES.filter((one) => one !== scope && one !== 'admin');
    keys.byScope.set(scope, await api.newKey({ scopes }));
  }
});

const pathOf = (endpoint: Endpoint): string => samplePath(endpoint, sample);

function call(endpoint: Endpoint, ask: Ask = {}, query = ''): Promise<Answer> {
  const isWrite = endpoint.method !== 'GET' && endpoint.method !== 'DELETE';
  return api.ask(`${pathOf(endpoint)}${query}`, {
    method: endpoint.method,
    ...(isWrite && { body: bodyFor(endpoint) }),
    ...ask,
    headers: { ...(isWrite && { 'idempotency-key': freshKey() }), ...ask.headers },
  });
}

const table = KEYED_ENDPOINTS.map((endpoint) => ({
  name: `${endpoint.method} ${endpoint.path}`,
  endpoint,
}));

describe.each(table)('$name', ({ endpoint }) => {
  it('needs a key', async () => {
    const before = await api.effects();
    const answer = await call(endpoint, { key: null });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="sluice"/);
    expect(await api.effects()).toEqual(before);
  });

  it('needs its scope', async () => {
    const before = await api.effects();
    const answer = await call(endpoint, { key: keys.byScope.get(endpoint.scope) ?? '' });
    expectProblem(answer, 403, 'forbidden');
    expect(answer.headers.get('www-authenticate')).toContain(
      `error="insufficient_scope", scope="${endpoint.scope}"`,
    );
    expect(await api.effects()).toEqual(before);
  });

  it('shows nothing of another tenant', async () => {
    if (endpoint === openStream) return; // it never ends: tests/http/realtime
    // No tenant's (tests/http/settings), and of the caller's own log (tests/http/ledger).
    if (/^\/v1\/(settings|ledger\/)/.test(endpoint.path)) return;
    const before = await api.effects();
    const isRead = endpoint.method === 'GET';
    const answer = await call(endpoint, { key: isRead ? keys.reader : keys.writer });
    // Another tenant's transfer or hold may be named; that it is not theirs shows at settlement.
    if (answer.status === 202) return expectRejected(answer);
    if (endpoint.path.includes(':')) expectProblem(answer, 404, 'not_found');
    else if (isRead) expect((answer.body.items as readonly Listed[]).filter(isForeign)).toEqual([]);
    else expect(answer.status).toBe(400); // an empty body, refused as for anybody
    expect(await api.effects()).toEqual(before);
  });

  it('echoes the correlation id, also when it refuses', async () => {
    const headers = { 'x-correlation-id': 'trace-42/a' };
    const answer = await call(endpoint, { headers, key: null });
    expect(answer.headers.get('x-correlation-id')).toBe('trace-42/a');
    expect(answer.body.correlationId).toBe('trace-42/a');
  });

  it('refuses a query parameter that it does not know', async () => {
    const answer = await call(endpoint, {}, '?verbose=1');
    expectProblem(answer, 400, 'invalid_request');
    expect(parametersOf(answer)).toContain('verbose');
  });

  it('refuses other methods and says which there are', async () => {
    const offered = KEYED_ENDPOINTS.filter(({ path }) => path === endpoint.path);
    const other = ['DELETE', 'PATCH', 'PUT', 'POST'].find(
      (method) => !offered.some((one) => one.method === method),
    );
    const answer = await call(endpoint, { method: other ?? 'TRACE' });
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')?.split(', ')).toContain(endpoint.method);
  });

  it('sends headers that keep browsers and caches out of it', async () => {
    const { headers } = await call(endpoint, { key: null });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('etag')).toBeNull();
  });
});

interface Listed {
  readonly id: string;
}

/** The reader has a key of its own, which it may see. */
function isForeign({ id }: Listed): boolean {
  return id !== keys.reader.split('_')[1] && id !== 'reader';
}

async function expectRejected(answer: Answer): Promise<void> {
  const location = answer.headers.get('location') ?? '';
  const read = async (): Promise<unknown> => (await api.ask(location, { key: keys.writer })).body;
  await expect.poll(read, { timeout: 15_000 }).toMatchObject({
    status: 'rejected',
    error: { code: expect.stringMatching(/^(transfer|hold)_not_found$/) },
  });
}

describe('keys', () => {
  it.each([
    ['nothing like a key', 'Bearer hello'],
    ['another scheme', 'Basic c2xrOnNsaw=='],
    ['an id that does not exist', `Bearer slk_nobody_${'x'.repeat(20)}`],
    ['a wrong secret', `Bearer slk_admin_${'x'.repeat(20)}`],
    ['an operator instead of an id', `Bearer slk_{$ne:1}_${'x'.repeat(20)}`],
  ])('with %s are refused', async (_name, authorization) => {
    const answer = await api.ask('/v1/operations', { key: null, headers: { authorization } });
    expectProblem(answer, 401, 'unauthenticated');
  });

  it('that are revoked stop working at once', async () => {
    const key = await api.newKey({ scopes: ['ledger:read'] });
    expect((await api.ask('/v1/operations', { key })).status).toBe(200);
    const id = key.split('_')[1] ?? '';
    expect((await api.ask(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(200);
    const read = async () => (await api.ask('/v1/operations', { key })).status;
    await expect.poll(read, { timeout: 15_000, interval: 500 }).toBe(401);
  });

  it('are stored as hashes only', async () => {
    const key = await api.newKey({ scopes: ['ledger:read'] });
    const stored = JSON.stringify(await api.db.collection('api_keys').find().toArray());
    expect(stored).toContain(key.split('_')[1]);
    expect(stored).not.toContain(key.split('_').slice(2).join('_'));
  });

  it('that are admin keys may do everything', async () => {
    expect((await api.ask('/v1/system-wallets')).status).toBe(200);
  });
});

describe('what is not there', () => {
  it.each(['/v2/operations', '/v1', '/v1/operations/', '/V1/operations', '/admin2'])(
    '%s has no route',
    async (path) => {
      expectProblem(await api.ask(path), 404, 'route_not_found');
    },
  );
});
