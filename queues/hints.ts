import type { Redis } from 'ioredis';
import { redisUrls } from '../config/env.ts';
import { closeRedis, openRedis } from '../core/infra/redis.ts';
import type { Platform } from '../core/runtime/platform.ts';
import type { SettledHint, SettledHints } from '../core/operations/ports.ts';

type HintDeps = Pick<Platform, 'env' | 'logger'>;

export interface HintPublisher extends SettledHints {
  /** The publishing connection, for readiness. */
  readonly connection: Redis;
  close(): Promise<void>;
}

/** Ids per message: a few kilobytes. */
const HINT_IDS_MAX = 200;

function channelOf({ env }: HintDeps): string {
  return `${env.QUEUE_PREFIX}-settled`;
}

/**
 * Announces settled operations on the PUB role of Redis: what one turn of the event loop announces
 * goes out together. Never throws; hints are dropped while Redis is away (requests also poll).
 */
export function openHints(deps: HintDeps): HintPublisher {
  const { env, logger } = deps;
  const onError = (err: unknown): void => {
    logger.debug({ err }, 'redis.hints.error');
  };
  const url = redisUrls(env).pub;
  const connection = openRedis({ url, name: 'hints', temper: 'fail-fast', onError });
  const channel = channelOf(deps);
  let pending: string[] = [];

  const flush = (): void => {
    const ids = pending;
    pending = [];
    if (connection.status !== 'ready') return;
    for (let start = 0; start < ids.length; start += HINT_IDS_MAX) {
      const message = ids.slice(start, start + HINT_IDS_MAX).join(',');
      connection.publish(channel, message).catch(onError);
    }
  };

  return Object.freeze({
    connection,
    announce: (hints: readonly SettledHint[]) => {
      if (hints.length === 0) return;
      if (pending.length === 0) setImmediate(flush);
      for (const { operationId } of hints) pending.push(operationId);
    },
    close: () => closeRedis(connection),
  });
}

export interface HintSubscription {
  /** False while hints may be missed. */
  isLive(): boolean;
  close(): Promise<void>;
}

/** Listens for settled operations. Hints sent while the connection is down never come. */
export function subscribeToHints(
  deps: HintDeps,
  onSettled: (operationIds: readonly string[]) => void,
): HintSubscription {
  const onError = (err: unknown): void => {
    deps.logger.debug({ err }, 'redis.hints.error');
  };
  const url = redisUrls(deps.env).pub;
  const connection = openRedis({ url, name: 'hints-sub', temper: 'patient', onError });
  let isSubscribed = false;
  connection.on('message', (_channel: string, message: string) => {
    onSettled(message.split(','));
  });
  // Queued until the connection is up; ioredis subscribes again by itself after a reconnect.
  connection
    .subscribe(channelOf(deps))
    .then(() => {
      isSubscribed = true;
    })
    .catch(onError);
  return Object.freeze({
    isLive: () => isSubscribed && connection.status === 'ready',
    close: () => closeRedis(connection),
  });
}
