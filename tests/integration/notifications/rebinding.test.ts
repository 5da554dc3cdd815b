import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import getTlsOptions from 'smtp-server/lib/tls-options.js';
import {
  type HttpClient,
  type HttpPost,
  createHttpClient,
} from '../../../core/outbound/http-client.ts';
import { createResolver } from '../../../core/outbound/resolver.ts';
import { createUrlGuard } from '../../../core/outbound/url-guard.ts';
import { createWebhookProvider } from '../../../core/notifications/providers/webhook.ts';
import { type Receiver, startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';
import { type DnsServer, startDnsServer } from '../../support/dns-server.ts';
import { tools } from '../../support/sending.ts';

/** A name server that gives a public address to whoever checks, and ours to whoever connects. */
const PUBLIC = '93.184.215.14';
let dns: DnsServer;
let receiver: Receiver;
let http: HttpClient;

beforeAll(async () => {
  dns = await startDnsServer({
    'rebind.example': [[PUBLIC], ['127.0.0.1']],
    'pinned.example': [[PUBLIC], ['127.0.0.1']],
    'both.example': [[PUBLIC, '::1']],
    'six.example': [['2606:2800:21f:cb07::1']],
    'none.example': [[]],
  });
  receiver = await startReceiver();
  http = createHttpClient({ keepAlive: true });
});
afterAll(async () => {
  http.close();
  await receiver.close();
  await dns.close();
});

const guardOf = () =>
  createUrlGuard({ resolve: createResolver({ servers: [dns.address] }), allowLoopback: false });

describe('a name server that changes its mind', () => {
  it('is asked again before every attempt', async () => {
    const guard = guardOf();
    expect(await guard.check('https://rebind.example/')).toMatchObject({ addresses: [PUBLIC] });
    expect(await guard.check('https://rebind.example/')).toMatchObject({ code: 'host_address' });
  });

  it('is asked once in an attempt: the address that was checked is the one connected to', async () => {
    const port = new URL(receiver.url).port;
    const posts: HttpPost[] = [];
    // The real client; only the vetted address is exchanged for one that is on this machine.
    const spy: HttpClient = {
      post: async (request) => {
        posts.push(request);
        const url = new URL(`http://pinned.example:${port}/webhooks/shop`);
        return http.post({ ...request, url, addresses: ['127.0.0.1'] });
      },
      close: () => undefined,
    };
    const provider = createWebhookProvider({ http: spy, guard: guardOf() });
    const url = 'https://pinned.example/webhooks/shop';
    const message = { url, secrets: ['whsec_c2VjcmV0'], id: 'evt_1', body: '{}' };

    expect(await provider.send(message, tools())).toMatchObject({ kind: 'sent' });
    expect(posts.map(({ addresses }) => addresses)).toEqual([[PUBLIC]]);
    expect(dns.questions().filter((host) => host === 'pinned.example')).toHaveLength(1);
    const [got] = receiver.received('webhooks');
    expect(got?.headers['host']).toBe(`pinned.example:${port}`);

    const second = await provider.send(message, tools());
    expect(second).toMatchObject({ kind: 'transient', code: 'host_address' });
    expect(posts).toHaveLength(1);
  });

  it('gets nowhere with one good address among bad ones', async () => {
    expect(await guardOf().check('https://both.example/')).toMatchObject({ code: 'host_address' });
  });

  it('may have IPv6 only, or nothing', async () => {
    expect(await guardOf().check('https://six.example/')).toMatchObject({ ok: true });
    for (const host of ['none.example', 'unheard-of.example']) {
      expect(await guardOf().check(`https://${host}/`)).toMatchObject({ code: 'host_unknown' });
    }
  });

  it('is not waited for when it is dead', async () => {
    const dead = await startDnsServer({});
    await dead.close();
    const resolve = createResolver({ servers: [dead.address] });
    const guard = createUrlGuard({ resolve, allowLoopback: false });
    const startedMs = performance.now();
    expect(await guard.check('https://shop.example/')).toMatchObject({ code: 'host_unknown' });
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });
});

describe('a connection to a vetted address', () => {
  const post = (url: string, addresses: readonly string[]) =>
    http.post({
      url: new URL(url),
      addresses,
      headers: {},
      body: '{}',
      signal: AbortSignal.timeout(5_000),
    });

  it('takes the next one when the first does not let us in', async () => {
    const port = new URL(receiver.url).port;
    const url = `http://any.example:${port}/webhooks/shop`;
    // Nobody listens at the first: the receiver has 127.0.0.1 alone.
    const reply = await post(url, ['127.0.0.2', '127.0.0.1']);
    expect(reply).toMatchObject({ kind: 'answered', status: 204 });
  });

  it('names the host to TLS, and trusts no certificate for being there', async () => {
    const names: string[] = [];
    const server = createTlsServer({
      ...getTlsOptions(),
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const reply = await post(`https://shop.example:${String(port)}/`, ['127.0.0.1']);
    expect(reply).toMatchObject({ kind: 'failed', code: 'tls_failed', mayHaveSent: false });
    expect(names).toEqual(['shop.example']);
    server.close();
  });
});
