import type { Server as HttpServer } from 'node:http';
import { Server, type ServerOptions } from 'socket.io';
import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import { hasScope } from '../../core/access/scopes.ts';
import type { Authenticator } from '../../core/access/api-key-cache.ts';
import { bearerOf } from '../http/headers.ts';
import { tellProblems } from './handshake-errors.ts';
import type { Hub } from './hub.ts';
import type { KeyWatch } from './key-watch.ts';
import { STREAM_SCOPE } from './scope.ts';
import type { Seats } from './seats.ts';
import { type Io, type OurSocket, handshakeAuth } from './socket-messages.ts';
import { join } from './socket-viewer.ts';
import { type Stranger, createStrangers } from './strangers.ts';
import { createSubscriptions, problemOf } from './subscriptions.ts';
import { REALTIME_PATH } from './upgrade.ts';

interface SocketsDeps {
  readonly server: HttpServer;
  readonly hub: Hub;
  readonly seats: Seats;
  readonly keys: KeyWatch;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly adapter: NonNullable<ServerOptions['adapter']>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Sockets {
  /** Keeps what a client needs to go on elsewhere, and sends it away. */
  close(): Promise<void>;
}

/** Socket.IO on the server of the API: the same events as `GET /v1/stream`, by subscription. */
export function attachSockets(deps: SocketsDeps): Sockets {
  const { server, adapter, logger } = deps;
  const io: Io = new Server({
    path: REALTIME_PATH,
    serveClient: false,
    adapter,
    maxHttpBufferSize: LIMITS.socketPayloadBytesMax,
    pingInterval: LIMITS.streamHeartbeatMs,
    connectionStateRecovery: {
      maxDisconnectionDuration: LIMITS.socketRecoveryMs,
      skipMiddlewares: false, // a key may have been revoked meanwhile
    },
    connectTimeout: LIMITS.strangerMs,
  });
  const strangers = createStrangers();
  io.use((socket, next) => {
    authenticate(deps, socket).then(
      () => {
        next();
      },
      (error: unknown) => {
        const { code, detail } = problemOf(error);
        next(Object.assign(new Error(detail), { data: { code, detail } }));
      },
    );
  });
  const watches = createWatches(deps.keys, (keyId) => {
    // Everywhere, through the adapter: other processes need not find out by themselves.
    io.in(roomOfKey(keyId)).disconnectSockets(true);
  });
  io.on('connection', (socket) => {
    const { keyId } = socket.data;
    strangers.remove(socket.conn);
    join(socket, roomOfKey(keyId), logger);
    watches.add(keyId);
    const subscriptions = createSubscriptions({ ...deps, io, socket });
    socket.once('disconnect', () => {
      subscriptions.end();
      watches.remove(keyId);
      socket.conn.close(); // one that stayed open would be nobody's
    });
  });
  io.attach(server, { destroyUpgrade: false }); // what is no upgrade to us is a request
  io.engine.on('connection', (connection: Stranger) => {
    strangers.add(connection);
  });
  tellProblems(io);
  return Object.freeze({
    close: async () => {
      await io.close();
    },
  });
}

async function authenticate(
  { authenticator, hub, seats }: Pick<SocketsDeps, 'authenticator' | 'hub' | 'seats'>,
  socket: OurSocket,
): Promise<void> {
  const { token } = handshakeAuth.parse(socket.handshake.auth);
  const key = token ?? bearerOf(socket.request);
  const principal =
    key === undefined
      ? undefined
      : await authenticator.authenticate(key, socket.conn.remoteAddress);
  const { tenantId } = principal?.tenant ?? {};
  const isAnothers = socket.recovered && socket.data.tenantId !== tenantId;
  if (principal === undefined || tenantId === undefined || isAnothers) {
    throw new AppError('unauthenticated', 'Connect with auth: { token: "slk_…" }');
  }
  if (!hasScope(principal.scopes, STREAM_SCOPE)) {
    throw new AppError('forbidden', `The key needs the scope "${STREAM_SCOPE}"`);
  }
  hub.admit();
  const { keyId } = principal;
  takeSeat(seats, socket, { tenantId, keyId });
  Object.assign(socket.data, { tenantId, keyId });
}

/** It ends with the connection, also where Socket.IO makes no socket of it any more. */
function takeSeat(
  seats: Seats,
  { conn }: OurSocket,
  guest: Readonly<Record<'tenantId' | 'keyId', string>>,
): void {
  if (conn.readyState === 'closed') throw new AppError('timeout', 'The connection has gone');
  conn.once('close', seats.take({ ...guest, address: conn.remoteAddress }));
}

function roomOfKey(keyId: string): string {
  return `key ${keyId}`;
}

/** One watch per key, however many sockets it has opened. */
function createWatches(keys: KeyWatch, onRevoked: (keyId: string) => void) {
  const watched = new Map<string, { count: number; readonly unwatch: () => void }>();
  return {
    add: (keyId: string): void => {
      const known = watched.get(keyId);
      if (known !== undefined) {
        known.count += 1;
        return;
      }
      const unwatch = keys.watch(keyId, () => {
        onRevoked(keyId);
      });
      watched.set(keyId, { count: 1, unwatch });
    },
    remove: (keyId: string): void => {
      const known = watched.get(keyId);
      if (known === undefined) return;
      known.count -= 1;
      if (known.count > 0) return;
      watched.delete(keyId);
      known.unwatch();
    },
  };
}
