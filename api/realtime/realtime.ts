import type { Server, ServerResponse } from 'node:http';
import { LIMITS } from '../../config/limits.ts';
import { withTimeout } from '../../core/kernel/clock.ts';
import type { Platform } from '../../runtime/platform.ts';
import type { Authenticator } from '../../core/access/api-key-cache.ts';
import { openEventTail } from '../../core/events/stream-tail.ts';
import { createFilter } from './filter.ts';
import { createHub } from './hub.ts';
import { startKeyWatch } from './key-watch.ts';
import { openSocketAdapter } from './socket-adapter.ts';
import type { Subscription } from './socket-messages.ts';
import { type Sockets, attachSockets } from './sockets.ts';
import { type Seats, createSeats } from './seats.ts';
import { createSseViewer } from './sse.ts';
import { type EventView, viewOf } from './viewer.ts';

interface StreamRequest {
  readonly tenantId: string;
  readonly keyId: string;
  readonly wanted: Subscription;
  readonly after: string | undefined;
  readonly address: string | undefined;
  /** Aborts when its connection is over, whether its answer had begun or not. */
  readonly gone: AbortSignal;
}

/** An answer that goes on. */
interface StreamReply {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: (response: ServerResponse) => void;
}

export interface Streams {
  /**
   * What the tenant's stream has of an operation that settled at a time: empty when it is not there
   * yet, or not any more, or when Redis does not answer.
   */
  eventsOf(
    tenantId: string,
    operation: { readonly id: string; readonly settledAt: Date },
  ): Promise<readonly EventView[]>;
  /** @throws AppError when there is no room for another client. */
  open(request: StreamRequest): StreamReply;
}

/** Streams and sockets of one API process. */
export interface Realtime {
  readonly streams: Streams;
  attach(server: Server): void;
  /** Says goodbye to everybody, so that they connect elsewhere. */
  close(): Promise<void>;
}

interface RealtimeDeps {
  readonly platform: Platform;
  readonly authenticator: Authenticator;
  readonly seats?: Seats;
}

export function openRealtime(deps: RealtimeDeps): Realtime {
  const { platform, authenticator, seats = createSeats() } = deps;
  const { clock, logger, metrics, random } = platform;
  const tail = openEventTail(platform.redis);
  const hub = createHub({ tail, clock, logger, metrics });
  const keys = startKeyWatch({ authenticator, clock, logger });
  const adapter = openSocketAdapter({ redis: platform.redis, logger });
  let sockets: Sockets | undefined;

  const open = (request: StreamRequest): StreamReply => {
    const { tenantId, keyId, wanted, after, gone } = request;
    hub.admit();
    const leaveSeat = seats.take(request);
    if (gone.aborted) leaveSeat();
    gone.addEventListener('abort', leaveSeat, { once: true });
    const retryMs = LIMITS.streamRetryMs + Math.round(random() * LIMITS.streamRetryJitterMs);
    const filter = createFilter(wanted);
    return {
      status: 200,
      contentType: 'text/event-stream',
      headers: { 'X-Accel-Buffering': 'no' },
      stream: (response) => {
        const viewer = createSseViewer({ response, tenantId, filter, after, retryMs, clock });
        const unwatch = keys.watch(keyId, () => {
          hub.drop(viewer, 'revoked');
        });
        response.once('close', () => {
          unwatch();
          hub.leave(viewer);
        });
        hub.join(viewer);
      },
    };
  };

  const eventsOf: Streams['eventsOf'] = async (tenantId, { id, settledAt }) => {
    const find = async (): Promise<readonly EventView[]> => {
      let after = `${settledAt.getTime() - LIMITS.timelineSkewMs}-0`;
      for (let pages = 0; pages < LIMITS.timelinePagesMax; pages += 1) {
        const page = await tail.page(tenantId, after);
        if (page === undefined) break;
        const found = page.events.filter(({ operationId }) => operationId === id);
        if (found.length > 0) return found.map(viewOf);
        after = page.last;
      }
      return [];
    };
    return withTimeout(find(), LIMITS.timelineLookMs, () => new Error('no answer in time')).catch(
      (err: unknown) => {
        logger.debug({ err }, 'timeline.stream.failed');
        return [];
      },
    );
  };

  return Object.freeze({
    streams: Object.freeze({ open, eventsOf }),
    attach: (server: Server) => {
      sockets = attachSockets({
        server,
        hub,
        seats,
        keys,
        authenticator,
        adapter: adapter.adapter,
        ...platform,
      });
    },
    close: async () => {
      await hub.close();
      await sockets?.close();
      await Promise.all([keys.close(), tail.close(), adapter.close()]);
    },
  } satisfies Realtime);
}
