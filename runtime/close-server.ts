import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../config/limits.ts';
import type { Clock } from '../core/kernel/clock.ts';

/** Knows which connections have a request under way, so that closing waits for those alone. */
export interface Connections {
  /**
   * Takes no new connections. Those without a request end at once, also those that never sent one
   * or only a part of its head; a body that does not arrive is waited for a moment, an answer for
   * as long as the drain may take.
   */
  close(): Promise<void>;
}

const LOOK_MS = 20;

/** Call before the server listens. */
export function watchConnections(server: Server, clock: Clock): Connections {
  const requests = new Map<Socket, Set<IncomingMessage>>();
  server.on('connection', (socket: Socket) => {
    requests.set(socket, new Set());
    socket.once('close', () => requests.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    requests.get(socket)?.add(request);
    response.once('close', () => requests.get(socket)?.delete(request));
  });
  // From here on it is no longer HTTP: whoever took it closes it.
  server.on('upgrade', ({ socket }) => requests.delete(socket));

  const endIdle = (isBodyOverdue: boolean): void => {
    for (const [socket, underWay] of requests) {
      const isWaitedFor = [...underWay].some(({ complete }) => complete || !isBodyOverdue);
      if (!isWaitedFor) socket.destroy();
    }
  };

  return Object.freeze({
    close: async () => {
      let isClosed = false;
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          isClosed = true;
          resolve();
        });
      });
      const startedMs = clock.monotonicMs();
      const takenMs = (): number => clock.monotonicMs() - startedMs;
      // Connections fall idle one by one as their requests are answered.
      while (!isClosed && takenMs() < LIMITS.drainDeadlineMs) {
        endIdle(takenMs() > LIMITS.drainBodyMs);
        await clock.sleep(LOOK_MS);
      }
      server.closeAllConnections();
      await closed;
    },
  });
}
