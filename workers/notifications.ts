import { LIMITS } from '../config/limits.ts';
import { startTicker } from '../core/kernel/clock.ts';
import { createLocalBreakers } from '../core/notifications/admission/breaker-cache.ts';
import { createNearBreakers } from '../core/notifications/admission/breaker-near-cache.ts';
import { createSharedBreakers } from '../core/notifications/admission/breaker-shared-cache.ts';
import {
  CHANNELS,
  type Channel,
  type Provider,
  type Providers,
  type RealtimeMessage,
} from '../core/notifications/ports.ts';
import type { DeliveryPublisher } from '../core/notifications/delivery/publisher.ts';
import {
  type NotificationTuning,
  createNotifications,
  tuningsOf,
} from '../runtime/notifications.ts';
import type { Platform } from '../runtime/platform.ts';
import { type EventStream, createEventStream } from '../core/events/stream.ts';
import { startDeliveryPool } from './delivery-pool.ts';
import { startEvents } from './events.ts';

interface NotificationDeps {
  readonly platform: Platform;
  readonly publisher: DeliveryPublisher;
  readonly providers?: Providers;
  /** Some process of the installation has a provider of the channel. */
  readonly hasAny?: (channel: Channel) => boolean;
  readonly tuning?: NotificationTuning;
}

/** Channels without a provider: nothing is sent there. */
const NO_PROVIDERS: Providers = { email: [], sms: [], push: [], webhook: [] };

/** The notification pool: events become deliveries, and deliveries go out. */
export function startNotifications(deps: NotificationDeps): void {
  const { platform, publisher, providers = NO_PROVIDERS, hasAny, tuning } = deps;
  const { redis, logger, lifecycle, clock, settings } = platform;
  const breakerTuning = tuningsOf(settings);
  const onError = (err: unknown): void => {
    logger.debug({ err }, 'redis.notifications.error');
  };
  const jobs = redis.open('queue', { name: 'notify', whenAway: 'wait' });
  const state = redis.open('state', { name: 'breakers', whenAway: 'fail' });
  const pub = redis.open('pub', { name: 'realtime', whenAway: 'fail' });
  const { router, engine, admission } = createNotifications({
    platform,
    publisher,
    breakers: createNearBreakers({
      shared: createSharedBreakers({
        redis: state,
        prefix: redis.prefix,
        local: createLocalBreakers(clock, breakerTuning),
        logger,
        tuning: breakerTuning,
      }),
      clock,
    }),
    providers: {
      ...providers,
      realtime: [streamProvider(createEventStream(pub, redis.prefix))],
    },
    ...(hasAny !== undefined && { hasAny }),
    ...(tuning !== undefined && { tuning }),
  });
  lifecycle.onClose('notification providers', async () => {
    const all = [providers.email, providers.sms, providers.push, providers.webhook].flat();
    await Promise.all(all.map((provider) => provider.close()));
  });
  startEvents({ platform, router });
  const refreshed = startTicker({
    intervalMs: LIMITS.backlogSampleMs * 5,
    clock,
    onError,
    run: async () => {
      admission.refresh();
    },
  });
  lifecycle.onClose('breaker metric', () => refreshed.stop());
  const pools = CHANNELS.map((channel) =>
    startDeliveryPool({
      platform,
      connection: jobs,
      channel,
      engine,
      admission,
    }),
  );
  lifecycle.onDrain('notifications', async () => {
    await Promise.all(pools.map((pool) => pool.close()));
  });
}

/** Realtime needs no other side: a message is out once it stands in the tenant's stream. */
function streamProvider(stream: EventStream): Provider<'realtime'> {
  return Object.freeze({
    name: 'stream',
    channel: 'realtime',
    breakerKey: () => 'stream',
    accepts: () => true,
    send: async ({ tenantId, userId, id, at, name, data }: RealtimeMessage) => {
      const texts = Object.fromEntries(
        Object.entries(data).map(([field, value]): [string, string] => [field, textOf(value)]),
      );
      // Whoever it is to sees it, whatever its data names: that is the client's own.
      const users = userId === undefined ? [] : [userId];
      const told = { ...texts, ...(userId !== undefined && { userId }) };
      const event = { id, name, users, data: told };
      try {
        await stream.append({ _id: id, tenantId, events: [event], createdAt: at });
        return { kind: 'sent' } as const;
      } catch (error) {
        const detail = error instanceof Error ? error.message : 'Redis did not take it';
        return { kind: 'fault', code: 'stream_away', detail, mayHaveSent: true } as const;
      }
    },
    close: async () => undefined,
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
