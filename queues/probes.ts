import type { Redis } from 'ioredis';
import { AppError } from '../core/kernel/errors.ts';
import { lookAtRedis } from '../core/infra/server-sight.ts';
import type { Dependency } from '../core/infra/dependency.ts';

const QUEUE_POLICY = 'noeviction';

/** Redis that holds jobs: has to answer, to be a master, and never to evict. */
export function queueRedisProbe(connection: Redis): Dependency {
  return {
    name: 'redis-queue',
    probe: async () => {
      const { role, policy } = await ask(connection, () => lookAtRedis(connection));
      if (role !== 'master') throw away(`the server is a ${role || 'stranger'}, not a master`);
      if (policy !== QUEUE_POLICY) {
        throw away(`maxmemory-policy is ${policy || 'unknown'}; jobs need ${QUEUE_POLICY}`);
      }
    },
  };
}

/** Redis that carries hints: has to answer. */
export function pubRedisProbe(connection: Redis): Dependency {
  return {
    name: 'redis-pub',
    probe: async () => {
      await ask(connection, () => connection.ping());
    },
  };
}

async function ask<T>(connection: Redis, command: () => Promise<T>): Promise<T> {
  if (connection.status !== 'ready') throw away(`not connected (${connection.status})`);
  return command();
}

function away(reason: string): AppError {
  return new AppError('queue_unavailable', reason);
}
