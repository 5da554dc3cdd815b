import type { Redis } from 'ioredis';
import type { OutboxRow } from '../core/saga/ports.ts';

/** What happened lately, one bounded Redis stream per tenant: the source of realtime delivery. */
export interface EventStream {
  /**
   * Appends a row's events in order, all or none. Repeating it within a quarter of an hour appends
   * nothing; after that, readers know repeats by the ids of the events.
   */
  append(row: Pick<OutboxRow, '_id' | 'tenantId' | 'events'>): Promise<void>;
}

/** Per tenant, approximately: minutes of history under load, for clients that reconnect. */
export const STREAM_EVENTS_MAX = 10_000;
/** Longer than a job of a row is tried again while Redis stays up. */
const ROW_MARK_SECONDS = 900;

/** The mark comes last: an append that fails half-way is repeated as a whole. */
const APPEND = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
for i = 3, #ARGV, 4 do
  local data = ARGV[i + 3] ~= '' and { 'data', ARGV[i + 3] } or {}
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[i], 'name', ARGV[i + 1], 'operationId', ARGV[i + 2], unpack(data))
end
redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
return 1
`;

export function createEventStream(redis: Redis, prefix: string): EventStream {
  return Object.freeze({
    append: async ({ _id, tenantId, events }: Parameters<EventStream['append']>[0]) => {
      const fields = events.flatMap(({ id, name, operationId = '', data }) => [
        ...[id, name, operationId],
        data === undefined ? '' : JSON.stringify(data),
      ]);
      const keys = [streamKey(prefix, tenantId), `${prefix}-stream-row:${_id}`];
      await redis.eval(APPEND, 2, ...keys, STREAM_EVENTS_MAX, ROW_MARK_SECONDS, ...fields);
    },
  });
}

export function streamKey(prefix: string, tenantId: string): string {
  return `${prefix}-stream:${tenantId}`;
}
