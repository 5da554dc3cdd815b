import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId, newToken } from '../../../core/kernel/ids.ts';
import { outboxRows } from '../../../core/events/outbox-rows.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import type { OutboxRow } from '../../../core/events/outbox.ts';
import { streamKey } from '../../../core/events/stream.ts';
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
  it('is dealt with though its job is done, and had not seen it', async () => {
    const notifying = await openNotifying();
    const { publisher, byName } = notifying.node.queues;
    const { redis, key } = redisOf(notifying);
    const operationId = newOperationId();
    const event = { id: `${operationId}.e0`, name: 'operation.succeeded', operationId };
    const batch = { batch: newToken(), at: new Date() };
    const rows = outboxRows(new Map([[TENANT_ID, [event]]]), batch);
    // As to a primary that has just taken over: it is not there yet.
    await publisher.publishEvents(rows);
    const done = () => byName.get('events')?.getCompletedCount();
    await until(async () => (await done()) === 1, 'the job is done');
    await collection<OutboxRow>(notifying.node.platform.mongo.db, 'outbox').insertMany([...rows]);
    await publisher.republishEvents(rows);
    await until(async () => (await redis.xlen(key)) === 1, 'the event stands in the stream');
    await until(async () => (await rowsOf(notifying)) === 0, 'the row is gone');
  });

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

/** Two rows of one operation, stored and not published. */
async function twoRows({ node }: Notifying, firstAt = new Date()) {
  const operationId = newOperationId();
  const rowOf = (name: string, turn: number, at: Date) => {
    const event = { id: `${operationId}.r${turn}.e0`, name, operationId, turn };
    return outboxRows(new Map([[TENANT_ID, [event]]]), { batch: newToken(), at });
  };
  const first = rowOf('deposit.settled', 3, firstAt);
  const second = rowOf('operation.succeeded', 4, new Date());
  const outbox = collection<OutboxRow>(node.platform.mongo.db, 'outbox');
  await outbox.insertMany([...first, ...second]);
  return { first, second };
}

describe('events of one operation in two rows', () => {
  it('stand in the stream in their order, whichever row is dealt with first', async () => {
    const notifying = await openNotifying();
    const { publisher, byName } = notifying.node.queues;
    const { redis, key } = redisOf(notifying);
    const { first, second } = await twoRows(notifying);
    await publisher.publishEvents(second);
    await until(
      async () =>
        (await byName.get('events')?.getDelayedCount()) === 1 || (await redis.xlen(key)) > 0,
      'the second row has had its turn',
    );
    await publisher.publishEvents(first);
    await until(async () => (await redis.xlen(key)) === 2, 'both stand in the stream');
    const entries = await redis.xrange(key, '-', '+');
    const names = entries.map(([, fields]) => fields[fields.indexOf('name') + 1]);
    expect(names).toEqual(['deposit.settled', 'operation.succeeded']);
    await until(async () => (await rowsOf(notifying)) === 0, 'the rows are gone');
  });

  it('do not wait for ever for a row that nobody can deal with', async () => {
    const notifying = await openNotifying();
    const { redis, key } = redisOf(notifying);
    const { second } = await twoRows(
      notifying,
      new Date(Date.now() - LIMITS.outboxOrderMs - 1_000),
    );
    await notifying.node.queues.publisher.publishEvents(second);
    await until(async () => (await redis.xlen(key)) === 1, 'the second one goes ahead');
  });
});

describe('rows that nobody has published', () => {
  it('are taken oldest first, a page at a time, each once until it is due again', async () => {
    const { node } = await openNotifying({ isSilent: true });
    const { db } = node.platform.mongo;
    const rows = [1, 3, 2, 4].map((age) => ({
      _id: `obx_${newToken()}_${age}`,
      tenantId: TENANT_ID,
      events: [],
      nextCheckAt: new Date(Date.now() - age * 60_000),
      createdAt: new Date(),
    }));
    await collection<OutboxRow>(db, 'outbox').insertMany(rows);
    const outbox = createOutboxStore(db);
    const agesOf = async (limit: number): Promise<readonly string[]> => {
      const taken = await outbox.takeStale(limit, 60_000);
      return taken.map(({ _id }) => _id.slice(-1));
    };
    expect(await agesOf(2)).toEqual(['4', '3']);
    expect(await agesOf(10)).toEqual(['2', '1']);
    expect(await agesOf(10)).toEqual([]);
  });
});
