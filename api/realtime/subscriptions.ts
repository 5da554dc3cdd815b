import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import { clientErrorOf } from '../http/problem.ts';
import { createFilter } from './filter.ts';
import type { Hub } from './hub.ts';
import {
  type Io,
  type OurSocket,
  type SocketProblem,
  type SubscribeReply,
  type Subscription,
  handshakeAuth,
  subscribeMessage,
} from './socket-messages.ts';
import { type SocketViewer, createSocketViewer } from './socket-viewer.ts';

interface SubscriptionsDeps {
  readonly io: Io;
  readonly socket: OurSocket;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What one socket has subscribed to: one filter at a time. Another `subscribe` replaces it and
 * goes on where it was; after a reconnect the first one goes on where the client was.
 */
export function createSubscriptions(deps: SubscriptionsDeps) {
  const { socket, hub } = deps;
  const { tenantId } = socket.data;
  const { offset } = handshakeAuth.parse(socket.handshake.auth);
  let current: SocketViewer | undefined;
  let last = offset;

  const end = (): void => {
    if (current === undefined) return;
    last = hub.positionOf(current) ?? current.position() ?? last;
    hub.leave(current);
    current.end();
    current = undefined;
  };
  const start = (wanted: Subscription, lastEventId?: string): void => {
    const filter = createFilter(wanted);
    if (lastEventId === undefined && current?.filter.key === filter.key) return;
    hub.admit();
    end();
    socket.data.subscription = wanted;
    current = createSocketViewer({ ...deps, tenantId, filter, after: lastEventId ?? last });
    hub.join(current);
  };
  const subscribe = (message: unknown): SubscribeReply => {
    try {
      const { lastEventId, ...wanted } = parse(message);
      start(wanted, lastEventId);
      return { ok: true, filter: wanted };
    } catch (error) {
      return { ok: false, error: problemOf(error) };
    }
  };

  socket.on('subscribe', (message, reply) => {
    const answer = subscribe(message);
    if (typeof reply === 'function') reply(answer);
  });
  socket.on('unsubscribe', (reply) => {
    end();
    delete socket.data.subscription;
    if (typeof reply === 'function') reply({ ok: true });
  });
  const before = socket.recovered ? socket.data.subscription : undefined;
  if (before !== undefined) subscribe(before);
  return Object.freeze({ end });
}

function parse(message: unknown) {
  const parsed = subscribeMessage.safeParse(message);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const where = first === undefined ? '' : ` (/${first.path.join('/')} ${first.message})`;
  throw new AppError(
    'invalid_request',
    `subscribe takes { userId?, events?, lastEventId? }${where}`,
  );
}

export function problemOf(error: unknown): SocketProblem {
  const { code, detail } = clientErrorOf(error);
  return { code, detail };
}
