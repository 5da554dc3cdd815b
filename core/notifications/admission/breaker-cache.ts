import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../../config/limits.ts';
import { defineScript } from '../../infra/redis-script.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TuningOf } from './breaker-tunings.ts';
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
 * KEYS: the breaker, the meter, then the holds (all with the key as their hash tag). ARGV: command,
 * time (0: the server's), the eight numbers of the tuning, then for `enter` the rate and how many ask
 * for each of the holds, for `leave` the good and the bad ones, whether it is the probe, and for how
 * long to keep each hold. `enter` answers with how many may go, and with what is left of each hold.
 * The table is that of breaker.ts. The meter is a leaky bucket of one second (GCRA).
 */
export const BREAKER_SCRIPT = defineScript(`
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
    if num('s' .. i) > slot - buckets and num('s' .. i) <= slot then
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
  local held, asking = {}, 0
  for i = 3, #KEYS do
    held[i - 2] = math.max(0, math.ceil(tonumber(redis.call('GET', KEYS[i]) or '0') - now))
    if held[i - 2] == 0 then asking = asking + tonumber(ARGV[9 + i]) end
  end
  if asking == 0 then return {'held', 0, 0, 0, 0, unpack(held)} end
  if phase ~= 'closed' and now < untilMs then
    local waitMs = recheckMs
    if phase == 'open' then waitMs = untilMs - now end
    return {'open', waitMs, 0, 0, 0, unpack(held)}
  end
  local rate, granted, waitMs = tonumber(ARGV[11]), asking, 0
  if phase ~= 'closed' then granted = 1 end
  if rate > 0 then
    local tat = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
    local free = math.floor((1000 + now - tat) * rate / 1000 + 1.000001)
    granted = math.max(0, math.min(granted, free))
    tat = tat + granted * 1000 / rate
    waitMs = math.ceil(tat - now - 1000)
    if granted == 0 then return {'throttled', waitMs, 0, 0, 0, unpack(held)} end
    redis.call('SET', KEYS[2], string.format('%.3f', tat), 'PX', 5000)
  end
  if phase == 'closed' then
    local good, bad = samples()
    return {'go', math.max(1, waitMs), good, bad, granted, unpack(held)}
  end
  redis.call('HSET', KEYS[1], 'phase', 'probing', 'until', string.format('%.0f', now + probeMs))
  keep()
  return {'probe', recheckMs, 0, 0, 1, unpack(held)}
end
local good, bad, isProbe = tonumber(ARGV[11]), tonumber(ARGV[12]), ARGV[13] == '1'
for i = 3, #KEYS do
  local holdMs = tonumber(ARGV[11 + i])
  if holdMs > 0 and tonumber(redis.call('GET', KEYS[i]) or '0') < now + holdMs then
    redis.call('SET', KEYS[i], string.format('%.0f', now + holdMs), 'PX', math.ceil(holdMs))
  end
end
if phase == 'probing' then
  if not isProbe then return {'open', math.max(0, untilMs - now), 0, 0} end
  if bad > 0 then return {'open', trip(), 0, 0} end
  redis.call('DEL', KEYS[1])
  return {'closed', 0, 0, 0}
end
if phase == 'open' then return {'open', math.max(0, untilMs - now), 0, 0} end
local i = slot % buckets
if num('s' .. i) ~= slot then
  h['s' .. i], h['g' .. i], h['b' .. i] = slot, 0, 0
end
h['g' .. i], h['b' .. i] = num('g' .. i) + good, num('b' .. i) + bad
local allGood, allBad = samples()
if bad > 0 and allGood + allBad >= samplesMin and allBad >= share * (allGood + allBad) then
  return {'open', trip(), allGood, allBad}
end
redis.call('HSET', KEYS[1], 's' .. i, slot, 'g' .. i, num('g' .. i), 'b' .. i, num('b' .. i))
keep()
return {'closed', 0, allGood, allBad}
`);

/** Of one process alone: for when Redis is away, and for tests. No limit of messages per second. */
export function createLocalBreakers(
  clock: Clock,
  given: BreakerTuning | TuningOf = BREAKER,
): Breakers {
  const tuningOf = typeof given === 'function' ? given : () => given;
  const states = new LRUCache<string, BreakerState>({ max: LIMITS.breakersMax });
  const holds = new LRUCache<string, number>({ max: LIMITS.breakersMax });
  return Object.freeze({
    enter: async (key: string, _rate: number, holdKey = ''): Promise<Entry> => {
      const nowMs = clock.now();
      const heldMs = (holds.get(`${key}\n${holdKey}`) ?? 0) - nowMs;
      if (heldMs > 0) return { kind: 'held', waitMs: heldMs };
      const tuning = tuningOf(key);
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
      const tuning = tuningOf(key);
      const state = record(states.get(key) ?? CLOSED, report, { nowMs, tuning });
      states.set(key, state);
      const openMs = state.phase === 'closed' ? 0 : Math.max(0, state.untilMs - nowMs);
      return { openMs, samples: samplesOf(state, nowMs, tuning) };
    },
  } satisfies Breakers);
}
