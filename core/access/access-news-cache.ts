import type { RedisRoles } from '../infra/redis-roles.ts';
import { closeRedis } from '../infra/redis.ts';

/** Tells all processes that a key or a tenant has changed, so that none goes by what it remembers. */
export interface AccessNews {
  keyChanged(keyId: string): void;
  tenantChanged(tenantId: string): void;
  close(): Promise<void>;
}

interface NewsHandlers {
  readonly onKey: (keyId: string) => void;
  readonly onTenant: (tenantId: string) => void;
}

/**
 * Over the PUB role of Redis, and in this process at once. News that are lost while Redis is away
 * only cost the time for which keys are remembered.
 */
export function openAccessNews(redis: RedisRoles, { onKey, onTenant }: NewsHandlers): AccessNews {
  const channel = `${redis.prefix}-access`;
  const sender = redis.open('pub', { name: 'access-news', whenAway: 'fail' });
  const listener = redis.open('pub', { name: 'access-news-sub', whenAway: 'wait' });
  const take = (message: string): void => {
    const id = message.slice(2);
    if (message.startsWith('k ')) onKey(id);
    if (message.startsWith('t ')) onTenant(id);
  };
  const tell = (message: string): void => {
    take(message);
    // News that is lost costs the others the time that they keep a key in memory, and no more.
    if (sender.status === 'ready') sender.publish(channel, message).catch(() => undefined);
  };
  listener.on('message', (_channel: string, message: string) => {
    take(message);
  });
  listener.subscribe(channel).catch(() => undefined); // it was closed meanwhile
  return Object.freeze({
    keyChanged: (keyId: string) => {
      tell(`k ${keyId}`);
    },
    tenantChanged: (tenantId: string) => {
      tell(`t ${tenantId}`);
    },
    close: async () => {
      await Promise.all([closeRedis(sender), closeRedis(listener)]);
    },
  } satisfies AccessNews);
}
