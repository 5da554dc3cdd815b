import type { Redis } from 'ioredis';
import type { RedisRoles } from '../infra/redis-roles.ts';
import { closeRedis } from '../infra/redis.ts';
import type { OperationId } from '../kernel/ids.ts';

export interface SettledHint {
  readonly operationId: OperationId;
}

/** Tells waiting requests that operations are settled. A hint: losing one only costs time. */
export interface SettledHints {
  announce(hints: readonly SettledHint[]): void;
}

export interface HintPublisher extends SettledHints {
  /** The publishing connection, for readiness. */
  readonly connection: Redis;
  close(): Promise<void>;
}

/** Ids per message: a few kilobytes. */
const HINT_IDS_MAX = 200;

function channelOf({ prefix }: RedisRoles): string {
  return `${prefix}-settled`;
}

/**
 * Announces settled operations on the PUB role of Redis: what one turn of the event loop announces
 * goes out together. Never throws; hints are dropped while Redis is away (requests also poll).
 */
export function openHints(redis: RedisRoles): HintPublisher {
  const connection = redis.open('pub', { name: 'hints', whenAway: 'fail' });
  const channel = channelOf(redis);
  let pending: string[] = [];

  const flush = (): void => {
    const ids = pending;
    pending = [];
    if (connection.status !== 'ready') return;
    for (let start = 0; start < ids.length; start += HINT_IDS_MAX) {
      const message = ids.slice(start, start + HINT_IDS_MAX).join(',');
      // Requests poll as well: what is lost here costs time only.
      connection.publish(channel, message).catch(() => undefined);
    }
  };

  return Object.freeze({
    connection,
    announce: (hints: readonly SettledHint[]) => {
      if (hints.length === 0) return;
      if (pending.length === 0) setImmediate(flush);
      for (const { operationId } of hints) pending.push(operationId);
    },
    close: () => closeRedis(connection),
  });
}

export interface HintSubscription {
  /** False while hints may be missed. */
  isLive(): boolean;
  close(): Promise<void>;
}

/** Listens for settled operations. Hints sent while the connection is down never come. */
export function subscribeToHints(
  redis: RedisRoles,
  onSettled: (operationIds: readonly string[]) => void,
): HintSubscription {
  const connection = redis.open('pub', { name: 'hints-sub', whenAway: 'wait' });
  let isSubscribed = false;
  connection.on('message', (_channel: string, message: string) => {
    onSettled(message.split(','));
  });
  // Queued until the connection is up; ioredis subscribes again by itself after a reconnect.
  connection
    .subscribe(channelOf(redis))
    .then(() => {
      isSubscribed = true;
    })
    .catch(() => undefined); // it was closed meanwhile
  return Object.freeze({
    isLive: () => isSubscribed && connection.status === 'ready',
    close: () => closeRedis(connection),
  });
}
