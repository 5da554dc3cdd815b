import type { Redis } from 'ioredis';
import { LIMITS } from '../../config/limits.ts';
import { type RedisScript, defineScript } from '../infra/redis-script.ts';
import { withTimeout } from '../kernel/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Advisory claims on what a batch will write, so that the batches of several processes do not meet
 * on a wallet and throw each other's transactions away. Correctness never rests on them: without
 * Redis, or after a claim ran out, MongoDB's write conflicts decide as they always do.
 */
export interface WalletReservations {
  /**
   * Claims, for each item in order, all of its resources or none. Returns which items were granted;
   * when Redis does not answer, all are.
   */
  take(items: readonly (readonly string[])[], owner: string): Promise<readonly boolean[]>;
  /** Gives back whatever `owner` holds of these. Never throws: claims run out by themselves. */
  release(resources: readonly string[], owner: string): Promise<void>;
}

/** No other process settles: nothing to keep apart. */
export const noReservations: WalletReservations = Object.freeze({
  take: async (items: readonly (readonly string[])[]) => Promise.resolve(items.map(() => true)),
  release: async () => Promise.resolve(),
});

/**
 * KEYS[1] hash resource -> "<expires ms>|<owner>". ARGV: owner, ttl ms, then per item its number of
 * resources and the resources. Returns a string of 1 (granted) and 0, one character per item. One
 * key, so that it works on a cluster. Time is the server's.
 */
const TAKE = defineScript(`
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local owner, expires = ARGV[1], now + tonumber(ARGV[2])
local mine = string.format('%d|%s', expires, owner)
local granted, i = {}, 3
while i <= #ARGV do
  local count = tonumber(ARGV[i])
  local free = true
  if count > 0 then
    local held = redis.call('HMGET', KEYS[1], unpack(ARGV, i + 1, i + count))
    for n = 1, count do
      local claim = held[n]
      if claim then
        local bar = string.find(claim, '|', 1, true)
        if tonumber(string.sub(claim, 1, bar - 1)) > now and string.sub(claim, bar + 1) ~= owner then
          free = false
          break
        end
      end
    end
    if free then
      local fields = {}
      for n = 1, count do
        fields[#fields + 1] = ARGV[i + n]
        fields[#fields + 1] = mine
      end
      redis.call('HSET', KEYS[1], unpack(fields))
    end
  end
  granted[#granted + 1] = free and '1' or '0'
  i = i + count + 1
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 2)
return table.concat(granted)
`);

/** KEYS[1] the hash, ARGV: owner, then resources. Deletes those that the owner still holds. */
const RELEASE = defineScript(`
local held = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local gone = {}
for n = 1, #held do
  if held[n] then
    local bar = string.find(held[n], '|', 1, true)
    if string.sub(held[n], bar + 1) == ARGV[1] then gone[#gone + 1] = ARGV[n + 1] end
  end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
return #gone
`);

interface ClaimsDeps {
  readonly redis: Redis;
  readonly key: string;
  readonly logger: Logger;
}

/** Lua's unpack is limited by its stack: longer lists go in parts, and a huge batch unclaimed. */
const UNPACK_MAX = 2_000;

export function createWalletReservations({ redis, key, logger }: ClaimsDeps): WalletReservations {
  const run = async (script: RedisScript, args: readonly (string | number)[]): Promise<unknown> =>
    withTimeout(
      script.run(redis, [key], args),
      LIMITS.claimTimeoutMs,
      () => new Error('Redis did not answer in time'),
    );
  return Object.freeze({
    take: async (items: readonly (readonly string[])[], owner: string) => {
      const all = items.map(() => true);
      if (redis.status !== 'ready') return all;
      if (items.some((resources) => resources.length * 2 > UNPACK_MAX)) return all;
      try {
        const args = items.flatMap((resources) => [resources.length, ...resources]);
        const granted = String(await run(TAKE, [owner, LIMITS.claimMs, ...args]));
        return items.map((_resources, index) => granted[index] === '1');
      } catch (err) {
        logger.debug({ err }, 'claims.take.failed');
        return all;
      }
    },
    release: async (resources: readonly string[], owner: string) => {
      if (redis.status !== 'ready') return;
      try {
        for (let start = 0; start < resources.length; start += UNPACK_MAX) {
          await run(RELEASE, [owner, ...resources.slice(start, start + UNPACK_MAX)]);
        }
      } catch (err) {
        logger.debug({ err }, 'claims.release.failed');
      }
    },
  } satisfies WalletReservations);
}
