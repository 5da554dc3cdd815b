import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { streamKey } from '../../../queues/event-stream.ts';
import { type Notifying, PAID, TENANT_ID, openNotifying } from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';

const rowsOf = ({ node }: Notifying) =>
  node.platform.mongo.db.collection('outbox').countDocuments();

function redisOf({ node }: Notifying): { redis: Redis; key: string } {
  const { REDIS_URL, QUEUE_PREFIX } = node.platform.env;
  const redis = new Redis(REDIS_URL);
  onTestFinished(() => {
    redis.disconnect();
  });
  return { redis, key: streamKey(QUEUE_PREFIX, TENANT_ID) };
}

/** Times that a job of the row has failed so far. */
async function failures({ node }: Notifying): Promise<number> {
  const jobs = (await node.queues.byName.get('events')?.getJobs()) ?? [];
  return jobs.reduce((sum, { attemptsMade }) => sum + attemptsMade, 0);
}

describe('an outbox row', () => {
  it('stays until its deliveries are stored, when the database refuses them at first', async () => {
    const notifying = await openNotifying();
    const { node, endpoint, happen, deliveries, standIns } = notifying;
    const { db } = node.platform.mongo;
    await endpoint('shop');
    await db.command({ collMod: 'deliveries', validator: { never: { $exists: true } } });
    await happen(PAID);
    await until(async () => (await failures(notifying)) > 0, 'routing has failed');
    expect(await rowsOf(notifying)).toBe(1);
    expect(await deliveries()).toEqual([]);
    await db.command({ collMod: 'deliveries', validator: {} });
    await until(() => standIns.receiver.received('webhooks').length === 1, 'the webhook arrives');
    await until(async () => (await rowsOf(notifying)) === 0, 'the row is gone');
  });

  it('stays until it stands in the stream, when Redis refuses it at first', async () => {
    const notifying = await openNotifying();
    const { happen } = notifying;
    const { redis, key } = redisOf(notifying);
    await redis.set(key, 'no stream'); // whoever appends gets WRONGTYPE
    await happen(PAID);
    await until(async () => (await failures(notifying)) > 0, 'appending has failed');
    expect(await rowsOf(notifying)).toBe(1);
    await redis.del(key);
    await until(async () => (await redis.xlen(key)) === 1, 'the event stands in the stream');
    await until(async () => (await rowsOf(notifying)) === 0, 'the row is gone');
  });
});
