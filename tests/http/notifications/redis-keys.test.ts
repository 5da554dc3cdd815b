import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvGuard, createProviders } from '../../../core/notifications/providers/registry.ts';
import { openQueues } from '../../../queues/producer.ts';
import { lastingKeyOf } from '../../../queues/redis-keys.ts';
import { type StandIns, startStandIns } from '../../../scripts/dev/stand-ins/start.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { useApi } from '../../support/api.ts';
import { hastyPolicies } from '../../support/hasty-policies.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { until } from '../../support/wait.ts';

const api = useApi({ sagas: true, env: { WEBHOOK_ALLOW_PRIVATE: 'loopback' } });
let standIns: StandIns;
let redis: Redis;

beforeAll(async () => {
  standIns = await startStandIns();
  const { platform } = api;
  const env = { ...platform.env, SMTP_URL: standIns.mail.url };
  redis = new Redis(env.REDIS_URL);
  const queues = openQueues(platform);
  platform.lifecycle.onClose('notification queues', () => queues.close());
  startNotifications({
    platform,
    publisher: queues.publisher,
    providers: createProviders({ env, guard: createEnvGuard(env) }),
    tuning: { policies: hastyPolicies() },
  });
});

afterAll(async () => {
  redis.disconnect();
  await standIns.close();
});

async function keysOf(prefix: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 500);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

/** Payments, sagas, a scheduled one, mails, webhooks that arrive and that fail, a stream. */
async function work(): Promise<void> {
  const url = (path: string): string => `${standIns.receiver.url}/webhooks/${path}`;
  const events = ['*'];
  await api.post('/v1/webhook-endpoints', { url: url('shop'), events });
  await api.post('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/away', events });
  const wallets = [{ currency: 'EUR' }];
  const contacts = { email: 'ann@example.test' };
  await succeed(api, '/v1/users', { userId: 'ann', wallets, contacts });
  await succeed(api, '/v1/users', { userId: 'bob', wallets });
  await succeed(api, '/v1/deposits', {
    ...{ userId: 'ann', currency: 'EUR', amount: 500, instrument: 'card' },
  });
  const pay = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 };
  await succeed(api, '/v1/transfers', pay);
  await succeed(api, '/v1/holds', { userId: 'ann', currency: 'EUR', amount: 1 });
  const runAt = new Date(Date.now() + 3_600_000).toISOString();
  await api.post('/v1/operations', { type: 'transfer', input: pay, runAt });
}

describe('a key in Redis', () => {
  it('expires or has a bound that is written down, whatever has been done', async () => {
    await work();
    const prefix = api.platform.env.QUEUE_PREFIX;
    await until(
      () => standIns.receiver.received('webhooks').length > 0,
      'a webhook has arrived',
      30_000,
    );
    const keys = await keysOf(prefix);
    expect(keys.some((key) => key.startsWith(`${prefix}-stream:`))).toBe(true);
    const unbounded: string[] = [];
    for (const key of keys) {
      // -2: it has gone meanwhile.
      const lasts = (await redis.pttl(key)) === -1;
      if (lasts && lastingKeyOf(key.slice(prefix.length)) === undefined) unbounded.push(key);
    }
    expect(unbounded).toEqual([]);
  }, 60_000);
});
