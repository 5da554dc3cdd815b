import { randomBytes } from 'node:crypto';
import { type Server, type Socket, createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { createHttpClient } from '../../../core/outbound/http-client.ts';
import { createWebhookProvider } from '../../../core/notifications/providers/webhook.ts';
import type { SendOutcome, WebhookMessage } from '../../../core/notifications/ports.ts';
import { type Receiver, startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';
import { loopbackGuard, tools } from '../../support/sending.ts';

const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const SECRET = newSecret();

let receiver: Receiver;
let nowMs = Date.now();
const now = () => nowMs;
const provider = createWebhookProvider({
  http: createHttpClient({ keepAlive: true }),
  guard: loopbackGuard,
});

beforeAll(async () => {
  receiver = await startReceiver();
  receiver.trust('shop', [SECRET]);
});
afterEach(() => {
  receiver.clear();
  nowMs = Date.now();
});
afterAll(async () => {
  await provider.close();
  await receiver.close();
});

const message = (change: Partial<WebhookMessage> = {}): WebhookMessage => ({
  url: `${receiver.url}/webhooks/shop`,
  secrets: [SECRET],
  id: 'evt_1',
  body: JSON.stringify({ type: 'transfer.settled', data: { amount: '1250', note: 'Grüße €' } }),
  ...change,
});

async function send(deadlineMs = 10_000): Promise<SendOutcome & { readonly tookMs: number }> {
  const startedMs = performance.now();
  const outcome = await provider.send(message(), tools(deadlineMs, 'dlv_test', now));
  return { ...outcome, tookMs: performance.now() - startedMs };
}

describe('a webhook', () => {
  it('is taken by a receiver that checks it with the standardwebhooks package', async () => {
    expect(await provider.send(message(), tools())).toEqual({ kind: 'sent', status: 204 });
    const [got] = receiver.received('webhooks');
    expect(got).toMatchObject({ verdict: 'verified', status: 204 });
    expect(got?.body).toBe(message().body);
    expect(got?.headers).toMatchObject({ 'webhook-id': 'evt_1' });
    expect(got?.headers['content-type']).toBe('application/json');
  });

  it('is refused there when another secret signed it', async () => {
    const outcome = await provider.send(
      message({ secrets: [newSecret()] }),
      tools(10_000, 'dlv_test', now),
    );
    expect(outcome).toMatchObject({ kind: 'transient', code: 'http_401', status: 401 });
    expect(receiver.received('webhooks')).toMatchObject([{ verdict: 'bad signature' }]);
  });

  it('is signed by the old secret and the new one while they rotate', async () => {
    const [fresh, old] = [newSecret(), newSecret()];
    await provider.send(message({ secrets: [fresh, old] }), tools(10_000, 'dlv_test', now));
    const [got] = receiver.received('webhooks');
    expect(got?.headers['webhook-signature']).toMatch(/^v1,[\w+/]+=* v1,[\w+/]+=*$/);
    for (const secret of [fresh, old]) {
      expect(new Webhook(secret).verify(got?.body ?? '', { ...got?.headers })).toBeDefined();
    }
    expect(() => new Webhook(newSecret()).verify(got?.body ?? '', { ...got?.headers })).toThrow();
  });

  it('keeps its id over attempts, each with a time of its own', async () => {
    await provider.send(message(), tools(10_000, 'dlv_test', now));
    nowMs += 60_000;
    await provider.send(message(), tools(10_000, 'dlv_test', now));
    const [first, second] = receiver.received('webhooks').map(({ headers }) => headers);
    expect(second?.['webhook-id']).toBe(first?.['webhook-id']);
    const passed = Number(second?.['webhook-timestamp']) - Number(first?.['webhook-timestamp']);
    expect(passed).toBe(60);
    expect(second?.['webhook-signature']).not.toBe(first?.['webhook-signature']);
  });

  it('has one breaker for each server, and each tenant its own', () => {
    const keys = ['https://a.test/x', 'https://A.test:443/y', 'https://a.test:8443/', 'nonsense'];
    expect(keys.map((url) => provider.breakerKey(message({ url }), 'acme'))).toEqual([
      'webhook:acme:a.test',
      'webhook:acme:a.test',
      'webhook:acme:a.test:8443',
      'webhook:acme:malformed',
    ]);
    const [one, other] = ['acme', 'bolt'].map((tenant) => provider.breakerKey(message(), tenant));
    expect(one).not.toBe(other);
  });
});

describe('a receiver with a fault', () => {
  it.each([
    [200, { kind: 'sent' }],
    [202, { kind: 'sent' }],
    [400, { kind: 'transient', code: 'http_400' }],
    [404, { kind: 'transient', code: 'http_404' }],
    [410, { kind: 'permanent', isGone: true }],
    [500, { kind: 'fault', mayHaveSent: true }],
    [503, { kind: 'fault', mayHaveSent: false }],
  ] as const)('answers %s', async (status, expected) => {
    receiver.inject({ on: 'webhooks', kind: 'status', status });
    expect(await send()).toMatchObject({ ...expected, status });
  });

  it('is waited for as long as the deadline allows', async () => {
    receiver.inject({ on: 'webhooks', kind: 'delay', delayMs: 600 });
    expect(await send()).toMatchObject({ kind: 'sent' });
  });

  it('may have got what it did not confirm before the deadline', async () => {
    receiver.inject({ on: 'webhooks', kind: 'hang' });
    const outcome = await send(300);
    expect(outcome).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: true });
    expect(outcome.tookMs).toBeLessThan(2_000);
  });

  it('does not make us read 100 MB: what it said first counts', async () => {
    const before = process.memoryUsage().rss;
    receiver.inject({ on: 'webhooks', kind: 'huge', bytes: 100_000_000 });
    const outcome = await send();
    expect(outcome).toMatchObject({ kind: 'sent', status: 200 });
    expect(outcome.tookMs).toBeLessThan(1_500);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  });

  it('does not hold us with a trickle', async () => {
    receiver.inject({ on: 'webhooks', kind: 'trickle' });
    const outcome = await send();
    expect(outcome).toMatchObject({ kind: 'sent', status: 200 });
    expect(outcome.tookMs).toBeLessThan(LIMITS.providerReplyMs + 1_000);
  });

  it('cannot send us elsewhere', async () => {
    receiver.trust('inside', [SECRET]);
    const location = `${receiver.url}/webhooks/inside`;
    receiver.inject({ on: 'webhooks', kind: 'redirect', location });
    expect(await send()).toMatchObject({ kind: 'transient', code: 'http_302', status: 302 });
    expect(receiver.received('webhooks')).toHaveLength(1);
  });

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['999999999', LIMITS.retryAfterMsMax],
    ['soon', undefined],
    ['-5', undefined],
  ])('is given the time it asks for: Retry-After %s', async (retryAfter, retryAfterMs) => {
    receiver.inject({ on: 'webhooks', kind: 'throttle', retryAfter });
    const outcome = await provider.send(message(), tools(10_000, 'dlv_test', now));
    const expected = { kind: 'throttled', status: 429 };
    expect(outcome).toEqual(retryAfterMs === undefined ? expected : { ...expected, retryAfterMs });
  });

  it('may name a date, and ask for patience with 503 too', async () => {
    const retryAfter = new Date(nowMs + 90_000).toUTCString();
    receiver.inject({ on: 'webhooks', kind: 'status', status: 503, retryAfter });
    const outcome = await send();
    expect(outcome).toMatchObject({ kind: 'fault', status: 503 });
    const waitMs = 'retryAfterMs' in outcome ? (outcome.retryAfterMs ?? 0) : 0;
    expect(waitMs).toBeGreaterThan(85_000);
    expect(waitMs).toBeLessThanOrEqual(90_000);
  });

  it.each(['close', 'effect-then-close'] as const)('cuts the line: %s', async (kind) => {
    receiver.inject({ on: 'webhooks', kind, times: 2 }); // the second, if the first was a kept one
    expect(await send()).toMatchObject({
      ...{ kind: 'fault', code: 'connection_reset', mayHaveSent: true },
    });
  });

  it('is gone', async () => {
    const other = await startReceiver();
    await other.close();
    const url = `${other.url}/webhooks/shop`;
    expect(await provider.send(message({ url }), tools())).toMatchObject({
      ...{ kind: 'fault', code: 'connect_refused', mayHaveSent: false },
    });
  });
});

describe('a server that does not speak HTTP', () => {
  const sockets: Socket[] = [];
  let server: Server | undefined;
  const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined); // cut by the other side
      onSocket(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server?.close();
  });

  it.each([
    ['another protocol', '220 mail.example ESMTP\r\n'],
    ['half a status', 'HTTP/1.1 2\r\n\r\n'],
    ['an endless header', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
  ])('is at fault: %s', async (_what, text) => {
    const port = await listen((socket) => socket.end(text));
    const url = `http://127.0.0.1:${String(port)}/`;
    const outcome = await provider.send(message({ url }), tools(10_000, 'dlv_test', now));
    expect(outcome).toMatchObject({ kind: 'fault', code: 'protocol_error', mayHaveSent: true });
  });

  it('may close a connection that it kept, just as we use it again', async () => {
    const requests: number[] = [];
    const port = await listen((socket) => {
      let count = 0;
      socket.on('data', () => {
        count += 1;
        requests.push(count);
        if (count > 1) socket.destroy();
        else socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    const url = `http://127.0.0.1:${String(port)}/`;
    for (let send = 0; send < 3; send += 1) {
      expect(await provider.send(message({ url }), tools())).toMatchObject({ kind: 'sent' });
    }
    expect(requests).toContain(2);
  });

  it('is at fault when it answers TLS with nonsense, and has got nothing', async () => {
    const port = await listen((socket) => socket.end('no TLS here\r\n'));
    const url = `https://127.0.0.1:${String(port)}/`;
    const outcome = await provider.send(message({ url }), tools(10_000, 'dlv_test', now));
    expect(outcome).toMatchObject({ kind: 'fault', mayHaveSent: false });
  });

  it('is given up when the TLS handshake never ends', async () => {
    const port = await listen(() => undefined);
    const url = `https://127.0.0.1:${String(port)}/`;
    const outcome = await provider.send(message({ url }), tools(300));
    expect(outcome).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
  });
});
