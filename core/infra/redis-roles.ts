import type { Redis } from 'ioredis';
import type { RedisRole } from '../../config/env.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type WhenAway, closeRedis, openRedis } from './redis.ts';

export interface RedisUse {
  /** Shown in Redis' list of clients and in logs. */
  readonly name: string;
  /** What becomes of a command while Redis is away. */
  readonly whenAway: WhenAway;
}

/** Where Redis is opened: whoever needs a connection says what for, not where it leads. */
export interface RedisRoles {
  /** Of every key and channel of this installation. */
  readonly prefix: string;
  /** A connection to the role's server; it connects in the background and never gives up. */
  open(role: RedisRole, use: RedisUse): Redis;
  /** Closes what is still open, without waiting for a server that may be gone. */
  close(): Promise<void>;
}

interface RedisRolesDeps {
  readonly urls: Readonly<Record<RedisRole, string>>;
  readonly prefix: string;
  readonly logger: Logger;
}

export function createRedisRoles({ urls, prefix, logger }: RedisRolesDeps): RedisRoles {
  const opened = new Set<Redis>();
  return Object.freeze({
    prefix,
    open: (role: RedisRole, { name, whenAway }: RedisUse): Redis => {
      const onError = (err: unknown): void => {
        logger.debug({ err }, `redis.${name}.error`);
      };
      const connection = openRedis({ url: urls[role], name, whenAway, onError });
      opened.add(connection);
      connection.once('end', () => opened.delete(connection));
      return connection;
    },
    close: async () => {
      await Promise.all([...opened].map(closeRedis));
    },
  } satisfies RedisRoles);
}
