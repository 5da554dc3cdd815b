import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpClient } from '../../../core/outbound/http-client.ts';
import { until } from '../../support/wait.ts';

it('hosts that were called once do not keep a connection each: those that came first go', async () => {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const http = createHttpClient({ keepAlive: true, idleMax: 10 });
  onTestFinished(async () => {
    http.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://receiver.test:${String(port)}/hook`);
  for (let host = 1; host <= 64; host += 1) {
    const addresses = [`127.0.0.${String(host)}`];
    const signal = new AbortController().signal;
    const reply = await http.post({ url, addresses, headers: {}, body: '{}', signal });
    expect(reply).toMatchObject({ kind: 'answered', status: 204 });
  }
  const connections = () =>
    new Promise<number>((resolve) => {
      server.getConnections((_error, count) => {
        resolve(count);
      });
    });
  await until(async () => (await connections()) <= 10, 'the others are closed');
});
