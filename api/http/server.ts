import { type Server, createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { watchConnections } from '../../runtime/close-server.ts';
import { inTurns } from '../../runtime/http-turns.ts';
import { type AppDeps, createListener } from '../app.ts';
import type { Realtime } from '../realtime/realtime.ts';
import type { Waiters } from '../writes/outcome-waiters.ts';
import { ApiRequest } from '../realtime/upgrade.ts';
import { endWithProblem } from './raw-problem.ts';

interface ServerDeps extends AppDeps {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly realtime: Pick<Realtime, 'attach' | 'close'>;
  readonly waiters: Pick<Waiters, 'close'>;
}

export interface ApiServer {
  readonly port: number;
  /** Takes no new connections, lets the requests under way finish, sends the waiting ones away. */
  close(): Promise<void>;
}

/** Listens once the promise resolves. */
export async function startServer(deps: ServerDeps): Promise<ApiServer> {
  const { host, port, clock, waiters, realtime } = deps;
  const listener = createListener(deps);
  const server = createHttpServer(
    {
      headersTimeout: LIMITS.requestHeadersMs,
      requestTimeout: LIMITS.requestMs,
      IncomingMessage: ApiRequest,
      requireHostHeader: false, // a request without one gets a problem document from us
    },
    listener,
  );
  server.keepAliveTimeout = LIMITS.keepAliveMs;
  server.on('clientError', refuseConnection);
  server.on('checkExpectation', listener);
  const connections = watchConnections(server, clock);
  realtime.attach(server);
  takeTurns(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return Object.freeze({
    port: (server.address() as AddressInfo).port, // a TCP server has one once it listens
    close: async () => {
      const closed = connections.close();
      await Promise.all([waiters.close(), realtime.close()]);
      await closed;
    },
  });
}

/** Whoever answers: Socket.IO has put itself before us. */
function takeTurns(server: Server): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on(
    'request',
    inTurns((request, response) => {
      for (const listen of listeners) Reflect.apply(listen, server, [request, response]);
    }),
  );
}

/** What Node's parser refuses never becomes a request; it still gets a problem document. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else endWithProblem(socket, parserError(error.code ?? ''));
}

function parserError(code: string): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('invalid_request', 'The request did not arrive in time');
  }
  return code.startsWith('HPE_INVALID_HEADER') || code === 'HPE_HEADER_OVERFLOW'
    ? new AppError('invalid_header', 'A header is malformed, or there are too many of them')
    : new AppError('invalid_request', 'This is not valid HTTP');
}
