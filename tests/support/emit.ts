import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { newToken } from '../../core/kernel/ids.ts';
import { createEventStream } from '../../core/events/stream.ts';

interface EmitOptions {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly tenantId?: string;
}

export interface Emitter {
  /** Appends so many events in one row, as the consumer of the outbox does; gives their ids. */
  emit(count: number, data?: Readonly<Record<string, string>>): Promise<readonly string[]>;
  /** Appends the last row again. */
  repeat(): Promise<void>;
}

/** What the worker does at the end of the way of an event, without the way. */
export function openEmitter({ redisUrl, prefix, tenantId = 'default' }: EmitOptions): Emitter {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined); // tests stop it
  onTestFinished(() => {
    redis.disconnect();
  });
  const stream = createEventStream(redis, prefix);
  let last: Parameters<typeof stream.append>[0] | undefined;
  return {
    emit: async (count, data = {}) => {
      const operationId = `op_${newToken()}` as const;
      const events = Array.from({ length: count }, (_, index) => {
        return { id: `${operationId}.e${index}`, name: 'transfer.settled', operationId, data };
      });
      last = { _id: `obx_${newToken()}`, tenantId, events };
      await stream.append(last);
      return events.map(({ id }) => id);
    },
    repeat: async () => {
      if (last !== undefined) await stream.append(last);
    },
  };
}
