import type { Redis } from 'ioredis';
import { LIMITS } from '../../config/limits.ts';
import { defineScript } from '../infra/redis-script.ts';
import { audienceOf } from './event-users.ts';
import type { OutboxRow } from './outbox.ts';

/** What happened lately, one bounded Redis stream per tenant: the source of realtime delivery. */
export interface EventStream {
  /**
   * Appends a row's events in order, all or none. Repeating it within a quarter of an hour appends
   * nothing; after that, readers know repeats by the ids of the events.
   */
  append(row: StreamRow): Promise<void>;
}

/** `createdAt` is when it happened; without it that is taken to be now. */
type StreamRow = Pick<OutboxRow, '_id' | 'tenantId' | 'events'> &
  Partial<Pick<OutboxRow, 'createdAt'>>;

/** Longer than a job of a row is tried again while Redis stays up. */
const ROW_MARK_SECONDS = 900;

/**
 * The mark comes last: an append that fails half-way is repeated as a whole. A client that was away
 * for a while finds what it missed however much happens: what is older than the history goes, but
 * not the newest few thousand; a ceiling of bytes comes before both. A stream that nobody adds to
 * goes in the end.
 */
const APPEND = defineScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local keep, historyMs, bytes, idleMs = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
for i = 6, #ARGV, 6 do
  local data = ARGV[i + 5] ~= '' and { 'data', ARGV[i + 5] } or {}
  redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'name', ARGV[i + 1],
    'operationId', ARGV[i + 2], 'at', ARGV[i + 3], 'users', ARGV[i + 4], unpack(data))
end
local spare = redis.call('XLEN', KEYS[1]) - keep
if spare > 0 then
  local time = redis.call('TIME')
  local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - historyMs
  redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', oldest), 'LIMIT', spare)
end
local used = redis.call('MEMORY', 'USAGE', KEYS[1]) or 0
if used > bytes then
  local fit = math.floor(redis.call('XLEN', KEYS[1]) * 0.9 * bytes / used)
  redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', fit)
end
redis.call('PEXPIRE', KEYS[1], idleMs)
redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
return 1
`);

export function createEventStream(redis: Redis, prefix: string): EventStream {
  return Object.freeze({
    append: async ({ _id, tenantId, events, createdAt }: StreamRow) => {
      const at = createdAt?.toISOString() ?? '';
      const fields = events.flatMap((event) => [
        ...[event.id, event.name, event.operationId ?? '', at],
        JSON.stringify(audienceOf(event)),
        event.data === undefined ? '' : JSON.stringify(event.data),
      ]);
      const keys = [streamKey(prefix, tenantId), `${prefix}-stream-row:${_id}`];
      const bounds = [
        ...[ROW_MARK_SECONDS, LIMITS.streamEventsKept, LIMITS.streamHistoryMs],
        ...[LIMITS.streamBytesMax, LIMITS.streamIdleMs],
      ];
      await APPEND.run(redis, keys, [...bounds, ...fields]);
    },
  });
}

export function streamKey(prefix: string, tenantId: string): string {
  return `${prefix}-stream:${tenantId}`;
}
