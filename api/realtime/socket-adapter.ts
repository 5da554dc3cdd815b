import { createAdapter } from '@socket.io/redis-streams-adapter';
import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { RedisRoles } from '../../core/infra/redis-roles.ts';
import { closeRedis } from '../../core/infra/redis.ts';
import { supervise } from '../../core/kernel/supervise.ts';
import type { Logger } from '../../core/telemetry/logger.ts';

interface AdapterOptions {
  readonly redis: RedisRoles;
  readonly logger: Logger;
}

type Adapter = ReturnType<ReturnType<typeof createAdapter>>;

const sessionSchema = z.object({
  sid: z.string(),
  pid: z.string(),
  data: z.looseObject({ tenantId: z.string(), keyId: z.string() }),
});

const BLOCK_MS = 1_000;

/**
 * Socket.IO's streams adapter, which carries what one API process says to the sockets of all of
 * them. Its sessions are kept differently: events come from the tenant's own stream, so a session
 * is who the socket was and what it had subscribed to, and no packets; any process restores it.
 */
export function openSocketAdapter({ redis, logger }: AdapterOptions) {
  const { prefix } = redis;
  const onError = (err: unknown): void => {
    logger.debug({ err }, 'redis.sockets.error');
  };
  // The adapter asks again at once when a command fails, so commands have to wait for Redis.
  const connection = redis.open('pub', { name: 'sockets', whenAway: 'wait' });
  const sessions = redis.open('pub', { name: 'socket-sessions', whenAway: 'fail' });
  const copies: (typeof connection)[] = [];
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (...args) => {
    const copy = duplicate(...args);
    const subscribe = copy.subscribe.bind(copy);
    // The adapter forgets this promise, and it fails when we close before Redis was there.
    Object.assign(copy, {
      subscribe: (channels: string[]) => {
        supervise(subscribe(...channels), onError);
      },
    });
    copies.push(copy);
    return copy;
  };
  const create = createAdapter(connection, {
    streamName: `${prefix}-sockets`,
    channelPrefix: `${prefix}-sockets`,
    blockTimeInMs: BLOCK_MS,
    onlyPlaintext: true,
  });
  const keyOf = (pid: string): string => `${prefix}-socket-session:${pid}`;

  // Socket.IO calls it with `new`, which an arrow function does not take.
  function adapter(namespace: unknown): Adapter {
    const made = create(namespace);
    made.persistSession = (session: unknown) => {
      const { sid, pid, data } = sessionSchema.parse(session);
      const text = JSON.stringify({ sid, pid, data });
      supervise(sessions.set(keyOf(pid), text, 'PX', LIMITS.socketRecoveryMs), onError);
    };
    made.restoreSession = async (pid: string) => {
      const text = await sessions.getdel(keyOf(pid));
      const session = text === null ? undefined : sessionSchema.safeParse(JSON.parse(text)).data;
      if (session === undefined) throw new Error('there is no such session');
      return { ...session, rooms: [session.sid], missedPackets: [] };
    };
    return made;
  }
  return Object.freeze({
    adapter,
    close: async () => {
      for (const copy of copies) copy.disconnect();
      connection.disconnect();
      await closeRedis(sessions);
    },
  });
}
