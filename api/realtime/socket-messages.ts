import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { ErrorCode } from '../../core/kernel/errors.ts';
import { isStreamPosition } from '../../core/kernel/stream-position.ts';
import { userId } from '../../core/operations/inputs.ts';
import { eventPatterns } from './filter.ts';
import type { EventView } from './viewer.ts';

export const streamPosition = z
  .string()
  .refine(isStreamPosition, 'must be the id of an event of a stream');

export const subscribeMessage = z.strictObject({
  userId: userId.exactOptional(),
  events: eventPatterns.exactOptional(),
  lastEventId: streamPosition.exactOptional(),
});

/** What a client says when it connects; Socket.IO's own client adds `offset` when it reconnects. */
export const handshakeAuth = z.looseObject({
  token: z.string().max(LIMITS.idempotencyKeyCharsMax).optional().catch(undefined),
  offset: streamPosition.optional().catch(undefined),
});

export type SubscribeReply =
  | { readonly ok: true; readonly filter: Subscription }
  | { readonly ok: false; readonly error: SocketProblem };

export interface SocketProblem {
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface Subscription {
  readonly userId?: string;
  readonly events?: readonly string[];
}

interface FromClient {
  subscribe: (message: unknown, reply?: (answer: SubscribeReply) => void) => void;
  unsubscribe: (reply?: (answer: { readonly ok: true }) => void) => void;
}

/** The last argument is what Socket.IO's client gives back as its offset when it reconnects. */
interface ToClient {
  ready: (start: { readonly resumed: boolean }, position: string) => void;
  gap: (gap: { readonly after: string }) => void;
  events: (events: readonly EventView[], position: string) => void;
  position: (position: string) => void;
  bye: (why: { readonly reason: string }) => void;
}

/** What a socket is; Socket.IO keeps it over a reconnect. */
interface SocketData {
  tenantId: string;
  keyId: string;
  subscription?: Subscription;
}

export type Io = Server<FromClient, ToClient, DefaultEventsMap, SocketData>;
export type OurSocket = Socket<FromClient, ToClient, DefaultEventsMap, SocketData>;
