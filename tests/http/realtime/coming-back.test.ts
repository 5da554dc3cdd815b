import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { ADMIN_KEY, openApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { openEmitter } from '../../support/emit.ts';
import { startOwnRedis } from '../../support/redis-server.ts';
import { openSocket, subscribed } from '../../support/socket-client.ts';
import { follow } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

const PAGES = 6;
const CLIENTS = 40;

describe('clients that all come back after a deploy, from near the same place', () => {
  it('share the pages that are read for them, and each gets what it missed, in order', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const api = await openApi(nameOfTest(), { env: { REDIS_PUB_URL: redis.url } });
    onTestFinished(() => api.close());
    const { emit } = openEmitter({ redisUrl: redis.url, prefix: api.platform.env.QUEUE_PREFIX });
    const reads = async (): Promise<number> => {
      const stats = await redis.client.info('commandstats');
      return Number(/cmdstat_xrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const stream = `${api.url}/v1/stream`;
    const ids = (
      await Promise.all(Array.from({ length: PAGES }, () => emit(LIMITS.streamPageEvents)))
    ).flat();
    // Where they were: the first so many positions of the stream.
    const first = await follow(`${stream}?lastEventId=0-0`, ADMIN_KEY);
    await until(() => first.ids().length === ids.length, 'the first one has everything');
    expect(new Set(first.ids())).toEqual(new Set(ids));
    const all = first.events();
    first.close();
    await until(() => !first.isOpen(), 'it is closed');
    const before = await reads();
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const { lastEventId } = all[index] ?? { lastEventId: '0-0' };
        const client = await follow(`${stream}?lastEventId=${lastEventId}`, ADMIN_KEY);
        return { client, missed: first.ids().slice(index + 1) };
      }),
    );
    const socket = await subscribed(openSocket(api.url, ADMIN_KEY), { lastEventId: '0-0' });
    for (const { client, missed } of clients) {
      await until(() => client.ids().length >= missed.length, 'it has what it missed');
      expect(client.ids()).toEqual(missed);
    }
    await until(() => socket.ids.length >= ids.length, 'the socket has everything');
    expect(socket.ids).toEqual(first.ids());
    // One look for each, whether its place is still there; and a few pages for all of them.
    expect((await reads()) - before).toBeLessThan(CLIENTS + 5 * PAGES);
    const more = await emit(3);
    for (const { client, missed } of clients) {
      await until(() => client.ids().length >= missed.length + 3, 'the next events are here');
      expect(client.ids().slice(missed.length)).toEqual(more);
    }
  });
});
