import { type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { type Connections, watchConnections } from '../../../runtime/close-server.ts';

interface Setting {
  readonly server: Server;
  readonly connections: Connections;
  /** A connection over which this much of a request has come. */
  send(text: string): Promise<Socket>;
}

async function listen(answer: Parameters<typeof createServer>[1]): Promise<Setting> {
  const server = createServer(answer);
  const connections = watchConnections(server, systemClock);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    server,
    connections,
    send: async (text) => {
      const accepted = once(server, 'connection');
      const client = connect(port, '127.0.0.1');
      onTestFinished(() => void client.destroy());
      client.on('error', () => undefined);
      await Promise.all([once(client, 'connect'), accepted]);
      client.write(text);
      return client;
    },
  };
}

const HEAD = 'POST /v1/x HTTP/1.1\r\nHost: x\r\n';

describe('a server that closes', () => {
  it.each([
    ['said nothing', ''],
    ['sent a part of a head', HEAD],
    ['has its answer and is kept alive', `GET / HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('waits for no client that %s', async (_what, text) => {
    const { connections, send } = await listen((_request, response) => response.end('done'));
    const client = await send(text);
    if (text.startsWith('GET')) await once(client, 'data');
    const startedMs = performance.now();
    await connections.close();
    expect(performance.now() - startedMs).toBeLessThan(LIMITS.drainBodyMs);
  });

  it('waits a moment for the body of a request, and not until the drain is over', async () => {
    const { server, connections, send } = await listen(() => undefined);
    const asked = once(server, 'request');
    await send(`${HEAD}Content-Length: 100\r\n\r\n{`);
    await asked;
    const startedMs = performance.now();
    await connections.close();
    expect(performance.now() - startedMs).toBeLessThan(LIMITS.drainDeadlineMs / 2);
  });

  it('answers a request that is under way', async () => {
    let finish = (): void => undefined;
    const { server, connections, send } = await listen((_request, response) => {
      finish = () => void response.end('done');
    });
    const asked = once(server, 'request');
    const client = await send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    const closing = connections.close();
    const answered = once(client, 'data');
    await systemClock.sleep(100); // a few looks of the closing server
    finish();
    expect(String((await answered)[0])).toContain('200 OK');
    await closing;
  });
});
