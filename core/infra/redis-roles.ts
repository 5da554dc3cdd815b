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
  /** One to each replica of the role's server that there is; they may be behind it. None: none. */
  openReplicas(role: RedisRole, use: RedisUse): readonly Redis[];
  /** Closes what is still open, without waiting for a server that may be gone. */
  close(): Promise<void>;
}

interface RedisRolesDeps {
  readonly urls: Readonly<Record<RedisRole, string>>;
  readonly replicas?: Readonly<Partial<Record<RedisRole, readonly string[]>>>;
  readonly prefix: string;
  readonly logger: Logger;
}

export function createRedisRoles({
  urls,
  replicas = {},
  prefix,
  logger,
}: RedisRolesDeps): RedisRoles {
  const opened = new Set<Redis>();
  const open = (url: string, { name, whenAway }: RedisUse): Redis => {
    const onError = (err: unknown): void => {
      logger.debug({ err }, `redis.${name}.error`);
    };
    const connection = openRedis({ url, name, whenAway, onError });
    opened.add(connection);
    connection.once('end', () => opened.delete(connection));
    return connection;
  };
  return Object.freeze({
    prefix,
    open: (role: RedisRole, use: RedisUse) => open(urls[role], use),
    openReplicas: (role: RedisRole, use: RedisUse) =>
      (replicas[role] ?? []).map((url) => open(url, use)),
    close: async () => {
      await Promise.all([...opened].map(closeRedis));
    },
  } satisfies RedisRoles);
}
