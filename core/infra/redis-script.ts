import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A script that Redis knows by its hash: its text is sent once to each server, not each time. */
export interface RedisScript {
  run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

const UNKNOWN = /^NOSCRIPT\b/;

export function defineScript(text: string): RedisScript {
  const hash = createHash('sha1').update(text).digest('hex');
  return Object.freeze({
    run: async (redis: Redis, keys: readonly string[], args: readonly (string | number)[]) => {
      try {
        return await redis.evalsha(hash, keys.length, ...keys, ...args);
      } catch (error) {
        // Started anew, emptied or another one by now: it has not run anything.
        if (!(error instanceof Error) || !UNKNOWN.test(error.message)) throw error;
        return redis.eval(text, keys.length, ...keys, ...args);
      }
    },
  });
}
