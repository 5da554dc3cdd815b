import { type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * `pass`: as if it were not there. `lose-replies`: what the client says arrives, what the server
 * answers does not. `black-hole`: nothing arrives on either side, and no connection breaks. `cut`:
 * every connection breaks, and so does every new one.
 */
type ProxyMode = 'pass' | 'lose-replies' | 'black-hole' | 'cut';

/** A network of our own in front of a server, to be broken on purpose. */
export interface TcpProxy {
  readonly port: number;
  break(mode: Exclude<ProxyMode, 'pass'>): void;
  /**
   * Connections over which these bytes leave break, so many times: before they have arrived, or
   * after, instead of the answer.
   */
  cutAt(text: string, times: number, when?: 'before' | 'after'): void;
  /** New connections go there; those that stand stay where they are. */
  retarget(to: { readonly port: number }): void;
  /** Connections that were cut off end, as they do when a network comes back; new ones pass. */
  heal(): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startTcpProxy(first: { readonly port: number }): Promise<TcpProxy> {
  let target = first;
  let mode: ProxyMode = 'pass';
  let trap = { text: '', times: 0, when: 'before' };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined); // told by `close`
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    let isDoomed = false;
    const upstream = connect({ port: target.port, host: HOST });
    keep(client, upstream);
    keep(upstream, client);
    client.on('data', (bytes) => {
      if (trap.times > 0 && bytes.includes(trap.text)) {
        trap.times -= 1;
        if (trap.when === 'before') {
          client.destroy();
          return;
        }
        isDoomed = true;
      }
      if (mode !== 'black-hole') upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isDoomed) client.destroy();
      else if (mode === 'pass') client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.freeze({
    port: (server.address() as AddressInfo).port, // a TCP server has one once it listens
    break: (how: Exclude<ProxyMode, 'pass'>) => {
      mode = how;
      if (how === 'cut') cut();
    },
    cutAt: (text: string, times: number, when: 'before' | 'after' = 'before') => {
      trap = { text, times, when };
    },
    retarget: (to: { readonly port: number }) => {
      target = to;
    },
    heal: () => {
      cut();
      mode = 'pass';
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  });
}
