import { LIMITS } from '../config/limits.ts';
import type { Router } from '../core/notifications/routing/routing.ts';
import type { Platform } from '../runtime/platform.ts';
import { createOutboxStore } from '../core/events/outbox-store.ts';
import type { EventsPayload } from '../queues/catalog.ts';
import { createEventStream } from '../core/events/stream.ts';
import { startPool } from './pool.ts';

interface EventsDeps {
  readonly platform: Platform;
  /** Makes deliveries of the events; their row goes once they are stored. */
  readonly router: Router;
}

/**
 * The consumer of the outbox: turns a row's events into deliveries, appends them to the tenant's
 * bounded stream and removes the row. Events of one operation keep their order. A repeat stores
 * nothing twice, and readers of the stream drop event ids that they have seen.
 */
export function startEvents({ platform, router }: EventsDeps): void {
  const { metrics, mongo, redis } = platform;
  const jobs = redis.open('queue', { name: 'events', whenAway: 'wait' });
  const streams = redis.open('pub', { name: 'stream', whenAway: 'fail' });
  const outbox = createOutboxStore(mongo.db);
  const stream = createEventStream(streams, redis.prefix);
  const pool = startPool<EventsPayload>({
    platform,
    connection: jobs,
    queue: 'events',
    contextOf: ({ tenantId }) => ({ tenantId }),
    work: async ({ rowId }) => {
      const row = await outbox.find(rowId);
      if (row === undefined) return undefined; // dealt with by an earlier delivery
      if (await outbox.isEarly(row)) return LIMITS.outboxOrderLookMs;
      await router.route(row);
      await stream.append(row);
      await outbox.remove(rowId);
      for (const event of row.events) metrics.outboxPublished.inc({ event: event.name });
      return undefined;
    },
  });
  platform.lifecycle.onDrain('events', () => pool.close());
}
