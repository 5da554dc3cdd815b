import { type Socket, connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startOpsServer } from '../../../runtime/ops-server.ts';
import { createOpsPages } from '../../../runtime/ops-pages.ts';
import { createReadiness } from '../../../runtime/readiness.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';
import { useApi } from '../../support/api.ts';
import { until } from '../../support/wait.ts';

const api = useApi();

interface Wire {
  readonly socket: Socket;
  text(): string;
  isClosed(): boolean;
}

/** Sends bytes as they are, and collects what comes. */
function say(port: number, text: string): Wire {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  let isClosed = false;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined); // it ends below
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(text);
  onTestFinished(() => {
    socket.destroy();
  });
  return { socket, text: () => received, isClosed: () => isClosed };
}

const count = (text: string, part: string): number => text.split(part).length - 1;
const close = 'Connection: close\r\n\r\n';

describe('a request that is unusual gets a problem document', () => {
  it.each([
    ['GET // HTTP/1.1\r\nHost: x\r\n', 404, 'route_not_found'],
    ['GET //evil.example/x HTTP/1.1\r\nHost: x\r\n', 404, 'route_not_found'],
    ['GET http://[ HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    ['GET /%zz HTTP/1.1\r\nHost: x\r\n', 404, 'route_not_found'],
    ['GET /v1/users/%zz HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    ['GET /healthz HTTP/1.1\r\n', 400, 'invalid_header'],
    ['GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: x\r\n', 417, 'expectation_failed'],
    ['POST /v1/operations HTTP/1.1\r\nHost: x\r\nExpect: x\r\n', 417, 'expectation_failed'],
    ['nonsense\r\n', 400, 'invalid_request'],
    ['GET /realtime/ HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    ['GET /realtime/?transport=nothing HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    [
      'GET /realtime/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\n',
      400,
      'invalid_request',
    ],
    ['POST /realtime/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n', 400, 'invalid_request'],
    ['PUT /realtime/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n', 405, 'method_not_allowed'],
    ['GET /realtime HTTP/1.1\r\nHost: x\r\n', 404, 'route_not_found'],
  ])('%j', async (head, status, code) => {
    const wire = say(api.port, head + close);
    await until(() => wire.isClosed(), 'it is answered');
    expect(wire.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(wire.text().toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(wire.text().split('\r\n\r\n')[1] ?? '')).toMatchObject({ status, code });
  });

  it('also where a websocket was asked for and cannot be', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const path = '/realtime/?EIO=4&transport=websocket&sid=x';
    const wire = say(api.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}`);
    await until(() => wire.isClosed(), 'it is answered');
    expect(wire.text()).toContain('application/problem+json');
    expect(JSON.parse(wire.text().split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400 });
  });

  it('HTTP/1.0 needs no Host', async () => {
    const wire = say(api.port, 'GET /healthz HTTP/1.0\r\n\r\n');
    await until(() => wire.isClosed(), 'it is answered');
    expect(wire.text()).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each(['GET //', 'GET http://[', 'GET /healthz'])('%s at a worker, too', async (start) => {
    const readiness = createReadiness({ dependencies: [], clock: systemClock });
    const pages = createOpsPages({ service: 'worker', readiness, metrics: createMetrics() });
    const logger = createLogger({ level: 'silent', service: 'test' });
    const server = await startOpsServer({ pages, host: '127.0.0.1', port: 0, logger });
    onTestFinished(() => server.close());
    const wire = say(server.port, `${start} HTTP/1.1\r\n${close}`);
    await until(() => wire.isClosed(), 'it is answered');
    expect(wire.text()).toMatch(start === 'GET /healthz' ? /^HTTP\/1.1 200/ : /^HTTP\/1.1 404/);
  });
});

describe('an upgrade to what we do not speak is ignored', () => {
  it.each([
    ['/healthz', 'h2c', 200],
    ['/healthz', 'websocket', 200],
    ['/nothing', 'TLS/1.0, h2c', 404],
    ['/realtime/?EIO=4&transport=polling', 'h2c', 200],
  ])('%s with Upgrade: %s', async (path, protocol, status) => {
    const upgrade = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\n`;
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}HTTP2-Settings: AAMAAABk\r\n\r\n`;
    const wire = say(api.port, head);
    await until(() => wire.isClosed(), 'it is answered and the connection is not held');
    expect(wire.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('with its body', async () => {
    const body = '{"type":"nothing"}';
    const lines = [
      ...['POST /v1/operations HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c'],
      ...['Content-Type: application/json', `Content-Length: ${body.length}`, '', body],
    ];
    const wire = say(api.port, lines.join('\r\n'));
    await until(() => wire.isClosed(), 'it is answered');
    expect(wire.text()).toMatch(/^HTTP\/1.1 401 /);
  });
});

describe('requests that are sent ahead of their answers', () => {
  it('are all answered, in order', async () => {
    const two = ['/problems', '/nothing'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const wire = say(api.port, two.join('').repeat(200));
    await until(() => count(wire.text(), 'HTTP/1.1 404') === 200, 'all are answered', 30_000);
    const statuses = [...wire.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(Array.from({ length: 200 }, () => ['200', '404']).flat());
  });

  it('scrapes that come together are made once', async () => {
    let made = 0;
    const readiness = createReadiness({ dependencies: [], clock: systemClock });
    let now = 0;
    const clock = { ...systemClock, monotonicMs: () => now };
    const beforeScrape = async (): Promise<void> => {
      made += 1;
      await Promise.resolve();
    };
    const metrics = createMetrics();
    const pages = createOpsPages({ service: 'api', readiness, metrics, clock, beforeScrape });
    await Promise.all(Array.from({ length: 1_000 }, () => pages.metrics()));
    expect(made).toBe(1);
    now = 1_000;
    expect((await pages.metrics()).body).toContain('sluice_lanes_held');
    expect(made).toBe(2);
  });
});
