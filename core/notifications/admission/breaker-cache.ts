import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../../config/limits.ts';
import { type Clock, withTimeout } from '../../kernel/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  BREAKER,
  type BreakerState,
  type BreakerTuning,
  CLOSED,
  type Report,
  admit,
  record,
  samplesOf,
} from './breaker.ts';

export interface Samples {
  readonly good: number;
  readonly bad: number;
}

export type Entry =
  | { readonly kind: 'go'; readonly isProbe: boolean; readonly samples: Samples }
  | { readonly kind: 'open'; readonly waitMs: number }
  /** Our own limit of messages per second. */
  | { readonly kind: 'throttled'; readonly waitMs: number }
  /** The other side has said when to come again. */
  | { readonly kind: 'held'; readonly waitMs: number };

/** A wait that the other side has asked for, for all that goes to the same place. */
export interface Hold {
  readonly key: string;
  readonly ms: number;
}

/** How a breaker stands once a call has been counted. */
export interface Exit {
  /** 0: it is closed. */
  readonly openMs: number;
  readonly samples: Samples;
}

/** The breakers of all providers, by key. Never throws. */
export interface Breakers {
  /** `holdKey`: the place within what breaks together that may be asked to be left alone. */
  enter(key: string, ratePerSecond: number, holdKey?: string): Promise<Entry>;
  leave(key: string, report: Report, hold?: Hold): Promise<Exit>;
}

/**
 * KEYS: the breaker, the meter, the hold (all with the key as their hash tag). ARGV: command, time
 * (0: the server's), the eight numbers of the tuning, then for `enter` the rate, for `leave` good,
 * probe and for how long to hold back what comes next.
 * The table is that of breaker.ts. The meter is a leaky bucket of one second (GCRA).
 */
const SCRIPT = `
local now = tonumber(ARGV[2])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local windowMs, buckets = tonumber(ARGV[3]), tonumber(ARGV[4])
local share, samplesMin = tonumber(ARGV[5]), tonumber(ARGV[6])
local openMs, openMsMax = tonumber(ARGV[7]), tonumber(ARGV[8])
local probeMs, recheckMs = tonumber(ARGV[9]), tonumber(ARGV[10])
local flat = redis.call('HGETALL', KEYS[1])
local h = {}
for i = 1, #flat, 2 do h[flat[i]] = flat[i + 1] end
local function num(name) return tonumber(h[name] or '0') end
local phase, untilMs = h['phase'] or 'closed', num('until')
local slot = math.floor(now / (windowMs / buckets))
local function samples()
  local good, bad = 0, 0
  for i = 0, buckets - 1 do
    if num('s' .. i) > slot - buckets then
      good = good + num('g' .. i)
      bad = bad + num('b' .. i)
    end
  end
  return good, bad
end
local function keep() redis.call('PEXPIRE', KEYS[1], openMsMax * 2 + windowMs) end
local function trip()
  local trips = num('trips')
  local ms = math.min(openMsMax, openMs * 2 ^ math.min(trips, 20))
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'phase', 'open', 'until', string.format('%.0f', now + ms), 'trips', trips + 1)
  keep()
  return ms
end
if ARGV[1] == 'enter' then
  local heldMs = tonumber(redis.call('GET', KEYS[3]) or '0') - now
  if heldMs > 0 then return {'held', math.ceil(heldMs), 0, 0} end
  if phase ~= 'closed' and now < untilMs then
    local waitMs = recheckMs
    if phase == 'open' then waitMs = untilMs - now end
    return {'open', waitMs, 0, 0}
  end
  local rate = tonumber(ARGV[11])
  if rate > 0 then
    local tat = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
    if tat - now > 1000 then return {'throttled', math.ceil(tat - now - 1000), 0, 0} end
    redis.call('SET', KEYS[2], string.format('%.3f', tat + 1000 / rate), 'PX', 5000)
  end
  if phase == 'closed' then
    local good, bad = samples()
    return {'go', 0, good, bad}
  end
  redis.call('HSET', KEYS[1], 'phase', 'probing', 'until', string.format('%.0f', now + probeMs))
  keep()
  return {'probe', 0, 0, 0}
end
local isGood, isProbe, holdMs = ARGV[11] == '1', ARGV[12] == '1', tonumber(ARGV[13])
if holdMs > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') < now + holdMs then
  redis.call('SET', KEYS[3], string.format('%.0f', now + holdMs), 'PX', math.ceil(holdMs))
end
if phase == 'probing' then
  if not isProbe then return {'open', math.max(0, untilMs - now), 0, 0} end
  if not isGood then return {'open', trip(), 0, 0} end
  redis.call('DEL', KEYS[1])
  return {'closed', 0, 0, 0}
end
if phase == 'open' then return {'open', math.max(0, untilMs - now), 0, 0} end
local i = slot % buckets
if num('s' .. i) ~= slot then
  h['s' .. i], h['g' .. i], h['b' .. i] = slot, 0, 0
end
local name = isGood and 'g' or 'b'
h[name .. i] = num(name .. i) + 1
local good, bad = samples()
if not isGood and good + bad >= samplesMin and bad >= share * (good + bad) then
  return {'open', trip(), good, bad}
end
redis.call('HSET', KEYS[1], 's' .. i, slot, 'g' .. i, num('g' .. i), 'b' .. i, num('b' .. i))
keep()
return {'closed', 0, good, bad}
`;

/** Of one process alone: for when Redis is away, and for tests. No limit of messages per second. */
export function createLocalBreakers(clock: Clock, tuning: BreakerTuning = BREAKER): Breakers {
  const states = new LRUCache<string, BreakerState>({ max: LIMITS.breakersMax });
  const holds = new LRUCache<string, number>({ max: LIMITS.breakersMax });
  return Object.freeze({
    enter: async (key: string, _rate: number, holdKey = ''): Promise<Entry> => {
      const nowMs = clock.now();
      const heldMs = (holds.get(`${key}\n${holdKey}`) ?? 0) - nowMs;
      if (heldMs > 0) return { kind: 'held', waitMs: heldMs };
      const { state, result } = admit(states.get(key) ?? CLOSED, nowMs, tuning);
      states.set(key, state);
      return result.kind === 'open'
        ? { kind: 'open', waitMs: result.untilMs - nowMs }
        : { ...result, samples: samplesOf(state, nowMs, tuning) };
    },
    leave: async (key: string, report: Report, hold?: Hold) => {
      const nowMs = clock.now();
      if (hold !== undefined && hold.ms > 0) {
        const place = `${key}\n${hold.key}`;
        holds.set(place, Math.max(holds.get(place) ?? 0, nowMs + hold.ms));
      }
      const state = record(states.get(key) ?? CLOSED, report, { nowMs, tuning });
      states.set(key, state);
      const openMs = state.phase === 'closed' ? 0 : Math.max(0, state.untilMs - nowMs);
      return { openMs, samples: samplesOf(state, nowMs, tuning) };
    },
  } satisfies Breakers);
}

interface SharedDeps {
  readonly redis: Redis;
  readonly prefix: string;
  readonly local: Breakers;
  readonly logger: Logger;
  readonly tuning?: BreakerTuning;
  /** Milliseconds; by default the time of the Redis server. */
  readonly now?: () => number;
}

/** Shared by all processes through Redis, in the server's time; on its own while that is away. */
export function createSharedBreakers(deps: SharedDeps): Breakers {
  const { redis, prefix, local, logger, tuning = BREAKER, now = () => 0 } = deps;
  const { windowMs, buckets, failureShare, samplesMin } = tuning;
  const { openMs, openMsMax, probeMs, recheckMs } = tuning;
  const numbers = [windowMs, buckets, failureShare, samplesMin];
  const times = [openMs, openMsMax, probeMs, recheckMs];

  const ask = async (
    command: 'enter' | 'leave',
    { key, holdKey }: { readonly key: string; readonly holdKey: string },
    args: readonly number[],
  ): Promise<readonly [string, number, Samples] | undefined> => {
    if (redis.status !== 'ready') return undefined;
    const keys = [
      `${prefix}-breaker:{${key}}`,
      `${prefix}-meter:{${key}}`,
      `${prefix}-hold:{${key}}:${holdKey}`,
    ];
    const all = [...keys, command, now(), ...numbers, ...times, ...args];
    try {
      const run = redis.eval(SCRIPT, keys.length, ...all);
      const reply = await withTimeout(
        run,
        LIMITS.claimTimeoutMs,
        () => new Error('Redis did not answer in time'),
      );
      const [kind, ms, good, bad] = reply as readonly [string, number, number, number];
      return [kind, ms, { good, bad }];
    } catch (err) {
      logger.debug({ err }, 'breaker.redis.failed');
      return undefined;
    }
  };

  return Object.freeze({
    enter: async (key: string, ratePerSecond: number, holdKey = ''): Promise<Entry> => {
      const answer = await ask('enter', { key, holdKey }, [ratePerSecond]);
      if (answer === undefined) return local.enter(key, ratePerSecond, holdKey);
      const [kind, waitMs, samples] = answer;
      if (kind === 'open' || kind === 'throttled' || kind === 'held') return { kind, waitMs };
      return { kind: 'go', isProbe: kind === 'probe', samples };
    },
    leave: async (key: string, report: Report, hold: Hold = { key: '', ms: 0 }) => {
      const args = [report.isGood ? 1 : 0, report.isProbe ? 1 : 0, hold.ms];
      // Counted here as well, so that the breaker does not start from nothing when Redis goes.
      const [answer, own] = await Promise.all([
        ask('leave', { key, holdKey: hold.key }, args),
        local.leave(key, report, hold),
      ]);
      if (answer === undefined) return own;
      const [kind, waitMs, samples] = answer;
      return { openMs: kind === 'open' ? waitMs : 0, samples };
    },
  } satisfies Breakers);
}
