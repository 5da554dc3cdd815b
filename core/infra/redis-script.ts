import type { Redis } from 'ioredis';

/** A script that Redis knows by its hash: its text is sent once to each server, not each time. */
export interface RedisScript {
  run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

const UNKNOWN = /^NOSCRIPT\b/;

export function defineScript(text: string): RedisScript {
  let hash: string | undefined; // the same on every server
  const load = async (redis: Redis): Promise<string> => {
    hash = String(await redis.script('LOAD', text));
    return hash;
  };
  return Object.freeze({
    run: async (redis: Redis, keys: readonly string[], args: readonly (string | number)[]) => {
      const all = [...keys, ...args];
      try {
        return await redis.evalsha(hash ?? (await load(redis)), keys.length, ...all);
      } catch (error) {
        // Started anew, emptied or another one by now: it has not run anything.
        if (!(error instanceof Error) || !UNKNOWN.test(error.message)) throw error;
        return redis.evalsha(await load(redis), keys.length, ...all);
      }
    },
  });
}
