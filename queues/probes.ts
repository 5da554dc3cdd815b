import type { Redis } from 'ioredis';
import { AppError } from '../core/kernel/errors.ts';
import type { Dependency } from '../core/infra/dependency.ts';

const QUEUE_POLICY = 'noeviction';

/** Redis that holds jobs: has to answer, to be a master, and never to evict. */
export function queueRedisProbe(connection: Redis): Dependency {
  return {
    name: 'redis-queue',
    probe: async () => {
      const info = await ask(connection, () => connection.info());
      const role = fieldOf(info, 'role');
      if (role !== 'master') throw away(`the server is a ${role ?? 'stranger'}, not a master`);
      const policy = fieldOf(info, 'maxmemory_policy');
      if (policy !== QUEUE_POLICY) {
        throw away(`maxmemory-policy is ${policy ?? 'unknown'}; jobs need ${QUEUE_POLICY}`);
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

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
}

function away(reason: string): AppError {
  return new AppError('queue_unavailable', reason);
}
