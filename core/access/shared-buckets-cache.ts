import { defineScript } from '../infra/redis-script.ts';
import type { RedisRoles } from '../infra/redis-roles.ts';
import { closeRedis } from '../infra/redis.ts';
import type { Lane, Taking } from './rates.ts';

/** Tokens that are asked for: as many as there are of these, or all of them or none. */
export interface Asking {
  readonly lane: Lane;
  readonly tokens: number;
  readonly isWhole: boolean;
}

/** The buckets that all processes take from. */
export interface SharedBuckets {
  /** One round trip, one answer each. Fails while Redis is away. */
  take(asked: readonly Asking[]): Promise<readonly Taking[]>;
  isReady(): boolean;
  close(): Promise<void>;
}

/**
 * A bucket is one number, the time at which it is full again (GCRA): by the clock of Redis, in
 * microseconds. A lane's buckets give together or not at all. Of each lane comes back how many tokens
 * it got, how long the next one takes, and of each bucket how many are left and when it is full.
 */
const TAKE = defineScript(`
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1700000000) * 1000000 + tonumber(time[2])
local out = {}
local a, k = 2, 1
for _ = 1, tonumber(ARGV[1]) do
  local whole, tokens, count = ARGV[a] == '1', tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  a = a + 3
  local granted = tokens
  local buckets = {}
  for i = 1, count do
    local quota, window = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
    a = a + 2
    local stored = redis.call('GET', KEYS[k])
    local full = stored and tonumber(stored) or now
    if full < now then full = now end
    local step = window / quota
    local room = (window - (full - now)) / step + 0.000001
    local need = whole and math.min(tokens, quota) or 1
    buckets[i] = { KEYS[k], full, step, room, need }
    k = k + 1
    if room < need then
      granted = 0
    elseif not whole then
      granted = math.min(granted, math.floor(room))
    end
  end
  local wait = 0
  local at = #out + 2
  out[at - 1] = granted
  out[at] = 0
  for i = 1, count do
    local key, full, step, room, need = unpack(buckets[i])
    full = full + granted * step
    room = room - granted
    if granted > 0 then
      redis.call('SET', key, string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1)
    end
    wait = math.max(wait, (need - room) * step)
    out[#out + 1] = math.floor(room)
    out[#out + 1] = math.ceil((full - now) / 1000000)
  end
  out[at] = math.ceil(wait)
end
return out
`);

export function openSharedBuckets(redis: RedisRoles): SharedBuckets {
  const connection = redis.open('core', { name: 'rates', whenAway: 'fail' });
  const prefix = `${redis.prefix}-rate:`;
  return Object.freeze({
    isReady: () => connection.status === 'ready',
    take: async (asked: readonly Asking[]) => {
      const keys: string[] = [];
      const args: number[] = [asked.length];
      for (const { lane, tokens, isWhole } of asked) {
        args.push(isWhole ? 1 : 0, tokens, lane.buckets.length);
        for (const { id, rate } of lane.buckets) {
          keys.push(prefix + id);
          args.push(rate.quota, rate.windowSeconds * 1_000_000);
        }
      }
      return readTakings(await TAKE.run(connection, keys, args), asked);
    },
    close: () => closeRedis(connection),
  } satisfies SharedBuckets);
}

function readTakings(reply: unknown, asked: readonly Asking[]): readonly Taking[] {
  const numbers = Array.isArray(reply) ? reply.map(Number) : [];
  let at = 0;
  const next = (): number => numbers[at++] ?? Number.NaN;
  const takings = asked.map(({ lane }) => {
    const granted = next();
    const waitMs = Math.max(0, next() / 1_000);
    const levels = lane.buckets.map(() => ({ left: next(), fullInSeconds: next() }));
    return { granted, waitMs, levels };
  });
  if (at !== numbers.length || numbers.includes(Number.NaN)) {
    throw new Error('the shared buckets gave an answer of another shape');
  }
  return takings;
}
