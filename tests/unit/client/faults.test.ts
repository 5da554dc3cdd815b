import { describe, expect, it } from 'vitest';
import { SluiceError, createClient } from '../../../client/src/index.ts';
import { pickPort } from '../../../scripts/dev/servers/ports.ts';
import { says, startScripted } from '../../support/client/scripted-server.ts';
import { until } from '../../support/wait.ts';

const transfer = { fromUserId: 'ada', toUserId: 'bob', currency: 'EUR', amount: 5n };

/** An address at which nobody listens. */
const nobody = async (): Promise<string> => `http://127.0.0.1:${await pickPort([])}`;

async function errorOf(work: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof SluiceError) return error;
  throw error;
}

describe('a write', () => {
  it.each([
    ['cuts the connection', says.cut],
    ['cuts the answer in half', says.half],
    ['answers 500', says.problem(500, 'internal')],
    ['answers 503', says.problem(503, 'ledger_unavailable')],
    ['answers 502 as a proxy does', says.html(502)],
    ['answers 200 with a page', says.html(200)],
    ['answers 202 with another document', says.json(202, { hello: 'world' })],
    ['answers 202 with a list', says.json(202, ['op_1'])],
    ['answers 429', says.problem(429, 'rate_limited', { retryable: true })],
    ['answers 409 operation_busy', says.problem(409, 'operation_busy', { retryable: true })],
  ])('is sent again under its key when the server %s', async (_what, act) => {
    const server = await startScripted(act, act, says.accepted);
    const submitted = await server.client().transfers.create(transfer);
    expect(submitted.id).toBe('op_1');
    const keys = server.keys();
    expect(keys.length).toBe(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(new Set(server.seen.map(({ body }) => body)).size).toBe(1);
  });
  it('is sent again when the server hangs, and no longer than its time', async () => {
    const server = await startScripted(says.nothing, says.accepted);
    const client = server.client({ attemptTimeoutMs: 50 });
    expect((await client.transfers.create(transfer)).id).toBe('op_1');
    expect(new Set(server.keys()).size).toBe(1);
    const silent = await startScripted(says.nothing);
    const startedMs = performance.now();
    const error = await errorOf(silent.client({ timeoutMs: 120 }).transfers.create(transfer));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(error).toMatchObject({
      code: 'client_timeout',
      isOutcomeUnknown: true,
      retryable: true,
    });
    expect(error.idempotencyKey).toBe(silent.keys()[0]);
  });
  it.each([
    [says.problem(400, 'invalid_request'), 'invalid_request', false],
    [says.problem(401, 'unauthenticated'), 'unauthenticated', false],
    [says.problem(422, 'insufficient_funds'), 'insufficient_funds', false],
    [says.html(413), 'http_error', false],
    [says.problem(500, 'invariant_broken', { retryable: false }), 'invariant_broken', true],
    [
      (response: Parameters<typeof says.cut>[0]) => {
        response.writeHead(302, { location: 'http://elsewhere.test/' }).end();
      },
      'bad_response',
      false,
    ],
    [says.flood, 'response_too_large', true],
  ] as const)('is not sent again after %o: %s', async (act, code, isOutcomeUnknown) => {
    const server = await startScripted(act);
    const client = server.client({ responseBytesMax: 1_000_000 });
    const error = await errorOf(client.transfers.create(transfer));
    expect(error).toMatchObject({ code, isOutcomeUnknown, attempts: 1 });
    expect(server.seen.length).toBe(1);
  });
  it('has an unknown outcome when the first try was lost and the last was not let in', async () => {
    const server = await startScripted(says.cut, says.problem(401, 'unauthenticated'));
    const error = await errorOf(server.client().transfers.create(transfer));
    expect(error).toMatchObject({ code: 'unauthenticated', isOutcomeUnknown: true, attempts: 2 });
  });
  it('has a known outcome when the last try is told what any would have been', async () => {
    const server = await startScripted(says.cut, says.problem(400, 'invalid_request'));
    const error = await errorOf(server.client().transfers.create(transfer));
    expect(error).toMatchObject({ code: 'invalid_request', isOutcomeUnknown: false });
  });
  it('that nobody listens to has surely no effect', async () => {
    const client = createClient({ baseUrl: await nobody(), apiKey: 'k', retries: 0 });
    const error = await errorOf(client.transfers.create(transfer));
    expect(error).toMatchObject({ code: 'network', isOutcomeUnknown: false, retryable: true });
    expect(error.message).toBe('The connection failed (ECONNREFUSED)');
  });
  it('without a key is sent once', async () => {
    const server = await startScripted(says.problem(500, 'internal'));
    const error = await errorOf(server.client().operations.retry('op_1', { note: 'again' }));
    expect(error).toMatchObject({ isOutcomeUnknown: true, attempts: 1 });
  });
});

describe('Retry-After', () => {
  it.each([
    ['seconds', () => '0.2'],
    ['a date', () => new Date(Date.now() + 1_500).toUTCString()],
  ])('as %s is waited for', async (_what, header) => {
    const asked = says.problem(503, 'backlog_full', { retryAfter: header() });
    const server = await startScripted(asked, says.accepted);
    await server.client().transfers.create(transfer);
    const [first, second] = server.seen;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(190);
  });
  it('beyond the time of the call ends it at once, and says how long', async () => {
    const server = await startScripted(says.problem(503, 'backlog_full', { retryAfter: '50' }));
    const startedMs = performance.now();
    const error = await errorOf(server.client({ timeoutMs: 5_000 }).transfers.create(transfer));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(error).toMatchObject({ retryAfterMs: 50_000, isOutcomeUnknown: false, attempts: 1 });
  });
});

describe('an outage', () => {
  it('gets one try a call once the retries of all calls are used up', async () => {
    const server = await startScripted(says.problem(503, 'ledger_unavailable'));
    const client = server.client();
    const calls = Array.from({ length: 100 }, () => errorOf(client.users.get('ada')));
    await Promise.all(calls);
    // Twenty, and what half a token a second has brought.
    expect(server.seen.length).toBeGreaterThanOrEqual(120);
    expect(server.seen.length).toBeLessThan(130);
  });
});

describe('an abort', () => {
  it('ends a call that waits for its answer, and one that waits to try again', async () => {
    const server = await startScripted(says.nothing);
    const stop = new AbortController();
    const call = errorOf(server.client().transfers.create(transfer, { signal: stop.signal }));
    await until(() => server.seen.length === 1, 'the request is there');
    stop.abort(new Error('closing time'));
    expect(await call).toMatchObject({ code: 'aborted', isOutcomeUnknown: true });
    const busy = await startScripted(says.problem(503, 'backlog_full', { retryAfter: '20' }));
    const other = new AbortController();
    const waiting = errorOf(busy.client().transfers.create(transfer, { signal: other.signal }));
    await until(() => busy.seen.length === 1, 'the request is there');
    other.abort();
    expect(await waiting).toMatchObject({ code: 'aborted', isOutcomeUnknown: false });
    const late = errorOf(busy.client().users.get('ada', { signal: other.signal }));
    expect(await late).toMatchObject({ code: 'aborted' });
    expect(busy.seen.length).toBe(1);
  });
});

describe('what is sent', () => {
  it('carries key, correlation id, preference, amounts as digits and times as text', async () => {
    const server = await startScripted(says.accepted);
    const client = server.client({ correlationId: () => 'order-7', userAgent: 'shop/1' });
    const runAt = new Date(0);
    await client.transfers.create(transfer, { wait: 3, runAt, metadata: { order: '7' } });
    const [one] = server.seen;
    expect(one).toMatchObject({
      ...{ method: 'POST', url: '/v1/transfers' },
      headers: {
        ...{
          authorization: 'Bearer slk_test_key',
          'x-correlation-id': 'order-7',
          prefer: 'wait=3',
        },
        'user-agent': expect.stringMatching(/^shop\/1 sluice-client\//),
      },
    });
    expect(JSON.parse(one?.body ?? '')).toEqual({
      ...{ fromUserId: 'ada', toUserId: 'bob', currency: 'EUR', amount: '5' },
      ...{ runAt: '1970-01-01T00:00:00.000Z', metadata: { order: '7' } },
    });
  });
  it('keeps the path of the base, and asks for the key each time', async () => {
    const server = await startScripted(says.cut, says.json(200, { id: 'ada' }));
    const keys = ['slk_old', 'slk_new'];
    const client = server.client({
      baseUrl: `${server.url}/pay/`,
      apiKey: () => keys.shift() ?? 'none left',
    });
    await client.users.get('a/b c');
    expect(server.seen.map(({ url }) => url)).toEqual([
      '/pay/v1/users/a%2Fb%20c',
      '/pay/v1/users/a%2Fb%20c',
    ]);
    expect(server.seen[1]?.headers.authorization).toBe('Bearer slk_new');
  });
  it.each(['', '.', '..', undefined])('is nothing where an id is %o', async (id) => {
    const server = await startScripted(says.json(200, { id: 'ada' }));
    const client = server.client();
    const about = [
      ...[client.users.get(id as string), client.users.wallets(id as string)],
      ...[client.transfers.reverse(id as string), client.operations.cancel(id as string)],
      ...[client.webhookEndpoints.remove(id as string), client.waitFor(id as string)],
    ];
    for (const call of about) expect((await errorOf(call)).code).toBe('invalid_argument');
    expect(server.seen).toEqual([]);
  });
  it.each([
    { baseUrl: 'localhost:3000' },
    { baseUrl: 'ftp://pay.example.test' },
    { baseUrl: 'https://key@pay.example.test' },
    { baseUrl: 'https://pay.example.test/?a=1' },
    { timeoutMs: 0 },
    { attemptTimeoutMs: Number.NaN },
    { retries: -1 },
  ])('is refused with options %o', (wrong) => {
    const options = { baseUrl: 'https://pay.example.test', apiKey: 'slk_x', ...wrong };
    expect(() => createClient(options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
  it('is refused with a key that would break a header', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:9', apiKey: 'slk\r\nx-admin: 1' });
    expect((await errorOf(client.users.get('ada'))).code).toBe('invalid_argument');
  });
});
