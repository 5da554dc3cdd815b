import { Redis } from 'ioredis';
import { withTimeout } from '../kernel/clock.ts';
import { LIMITS } from '../../config/limits.ts';

/**
 * `fail`: requests, a command fails at once when Redis is away.
 * `wait`: what BullMQ drives, commands wait for it to come back (BullMQ sends some as soon as it
 * gets the connection, and does not survive their failure).
 */
export type WhenAway = 'fail' | 'wait';

interface RedisConnection {
  readonly url: string;
  readonly name: string;
  readonly whenAway: WhenAway;
  readonly onError: (error: Error) => void;
}

/** Opens a connection; it connects in the background and reconnects within 2 s for ever. */
export function openRedis({ url, name, whenAway, onError }: RedisConnection): Redis {
  const shared = {
    connectionName: `sluice-${name}`,
    connectTimeout: LIMITS.redisConnectMs,
    retryStrategy: (attempt: number) => Math.min(LIMITS.redisReconnectMsMax, 50 * 2 ** attempt),
    // A failover may leave the connection where it is: the server has become a replica, and only a
    // new connection finds the one that writes. Waiting commands are sent again there.
    reconnectOnError: ({ message }: Error) =>
      READ_ONLY.test(message) && (whenAway === 'wait' ? 2 : 1),
  };
  const client =
    whenAway === 'wait'
      ? new Redis(url, { ...shared, maxRetriesPerRequest: null })
      : new Redis(url, {
          ...shared,
          maxRetriesPerRequest: 1,
          enableOfflineQueue: false,
          commandTimeout: LIMITS.redisCommandMs,
        });
  client.on('error', onError);
  return client;
}

const READ_ONLY = /\bREADONLY\b/;
const QUIT_MS = 500;

/** Closes without waiting for a server that may be gone. */
export async function closeRedis(client: Redis): Promise<void> {
  if (client.status === 'ready') {
    const quit = withTimeout(client.quit(), QUIT_MS, () => new Error('Redis does not answer'));
    await quit.catch(() => undefined);
  }
  client.disconnect();
}
