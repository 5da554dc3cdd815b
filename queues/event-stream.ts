import type { Redis } from 'ioredis';
import type { OutboxRow } from '../core/saga/ports.ts';

/** What happened lately, one bounded Redis stream per tenant: the source of realtime delivery. */
export interface EventStream {
  /** Appends in order. Repeating a row repeats its events; readers know them by their ids. */
  append(row: OutboxRow): Promise<void>;
}

/** Per tenant, approximately: minutes of history under load, for clients that reconnect. */
const STREAM_EVENTS_MAX = 10_000;

export function createEventStream(redis: Redis, prefix: string): EventStream {
  return Object.freeze({
    append: async (row: OutboxRow) => {
      const pipeline = redis.pipeline();
      for (const { id, name, operationId, data } of row.events) {
        const fields = ['id', id, 'name', name];
        if (operationId !== undefined) fields.push('operationId', operationId);
        if (data !== undefined) fields.push('data', JSON.stringify(data));
        pipeline.xadd(
          streamKey(prefix, row.tenantId),
          'MAXLEN',
          '~',
          STREAM_EVENTS_MAX,
          '*',
          ...fields,
        );
      }
      const results = (await pipeline.exec()) ?? [];
      for (const [error] of results) if (error !== null) throw error;
    },
  });
}

function streamKey(prefix: string, tenantId: string): string {
  return `${prefix}-stream:${tenantId}`;
}
