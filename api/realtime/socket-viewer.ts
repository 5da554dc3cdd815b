import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { STREAM_START } from '../../core/kernel/stream-position.ts';
import { supervise } from '../../core/kernel/supervise.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { EventFilter } from './filter.ts';
import type { Io, OurSocket } from './socket-messages.ts';
import type { Viewer } from './viewer.ts';

interface SocketViewerOptions {
  readonly io: Io;
  readonly socket: OurSocket;
  readonly tenantId: string;
  readonly filter: EventFilter;
  readonly after: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SocketViewer extends Viewer {
  /** What it was sent by itself, before it went into its group. */
  position(): string | undefined;
  /** The socket wants something else. */
  end(): void;
}

const DRAIN_LOOK_MS = 50;

/** A subscription of a socket as a viewer. Its group is a room: one encoding for all of it. */
export function createSocketViewer(options: SocketViewerOptions): SocketViewer {
  const { io, socket, tenantId, filter, after, clock, logger } = options;
  const waiting = countWaiting(socket);
  // Not `socket.emit`: with recovery switched on, Socket.IO sends that through Redis, out of order
  // with what the room gets, and under an offset of its own.
  const self = (): ReturnType<typeof io.local.to> => io.local.to(socket.id);
  let room: string | undefined;
  let position = after;
  let beaten: string | undefined;

  return Object.freeze({
    transport: 'socket',
    tenantId,
    filter,
    after,
    position: () => position,
    begin: (start) => {
      position = start.position;
      self().emit('ready', { resumed: start.isResumed }, start.position);
    },
    gap: (asked) => {
      self().emit('gap', { after: asked });
    },
    send: (batch) => {
      position = batch.position;
      self().emit('events', batch.views(), batch.position);
    },
    beat: (reached) => {
      if (reached === undefined || reached === STREAM_START || reached === beaten) return;
      beaten = reached;
      self().emit('position', reached);
    },
    cast: {
      enter: (group) => {
        room = group;
        join(socket, group, logger);
      },
      send: (group, batch) => {
        io.local.to(group).emit('events', batch.views(), batch.position);
      },
    },
    isFull: () => waiting.chars > LIMITS.streamBufferBytesMax,
    drained: async () => {
      const endsMs = clock.monotonicMs() + LIMITS.streamDrainMs;
      while (waiting.chars > LIMITS.streamBufferBytesMax / 2) {
        if (!socket.connected || clock.monotonicMs() > endsMs) return false;
        await clock.sleep(DRAIN_LOOK_MS);
      }
      return socket.connected;
    },
    end: () => {
      if (room !== undefined) {
        supervise(Promise.resolve(socket.leave(room)), (err) => {
          logger.error({ err }, 'realtime.leave.failed');
        });
      }
      waiting.stop();
    },
    close: (reason) => {
      if (reason === 'shutdown') self().emit('bye', { reason });
      // Without a word to its client, which then connects again by itself.
      else socket.conn.close(true);
    },
  } satisfies SocketViewer);
}

/** Characters that wait until the transport takes more. */
function countWaiting({ conn }: OurSocket) {
  const count = { chars: 0, stop: () => undefined };
  const add = ({ data }: { readonly data?: unknown }): void => {
    if (typeof data === 'string') count.chars += data.length;
  };
  const clear = (): void => {
    count.chars = 0;
  };
  conn.on('packetCreate', add);
  conn.on('flush', clear);
  count.stop = () => {
    conn.off('packetCreate', add);
    conn.off('flush', clear);
    return undefined;
  };
  return count;
}

/** Rooms live in memory, so it is done at once; the type leaves room for adapters that wait. */
export function join(socket: OurSocket, room: string, logger: Logger): void {
  supervise(Promise.resolve(socket.join(room)), (err) => {
    logger.error({ err }, 'realtime.join.failed');
  });
}
