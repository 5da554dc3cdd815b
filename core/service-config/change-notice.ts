import type { RedisRoles } from '../infra/redis-roles.ts';
import { closeRedis } from '../infra/redis.ts';

/** Tells all processes that settings or pauses have changed. A hint: losing one costs a poll. */
export interface ChangeNotice {
  announce(): void;
  close(): Promise<void>;
}

function channelOf({ prefix }: RedisRoles): string {
  return `${prefix}-settings`;
}

export function openChangeNotice(redis: RedisRoles): ChangeNotice {
  const connection = redis.open('pub', { name: 'settings', whenAway: 'fail' });
  const channel = channelOf(redis);
  return Object.freeze({
    announce: () => {
      if (connection.status !== 'ready') return;
      connection.publish(channel, '').catch(() => undefined); // the poll sees it as well
    },
    close: () => closeRedis(connection),
  });
}

/** Calls back whenever something has changed, while Redis is there. */
export function onChangeNotice(
  redis: RedisRoles,
  onNotice: () => void,
): { close(): Promise<void> } {
  const connection = redis.open('pub', { name: 'settings-sub', whenAway: 'wait' });
  connection.on('message', () => {
    onNotice();
  });
  connection.subscribe(channelOf(redis)).catch(() => undefined); // it was closed meanwhile
  return Object.freeze({ close: () => closeRedis(connection) });
}
