import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureCollections } from '../../core/infra/schema.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createStatusCounts } from '../../core/operations/status-counts-store.ts';

let mongo: Mongo;

beforeAll(async () => {
  mongo = await openMongo({
    url: process.env['MONGO_URL'] ?? 'mongodb://127.0.0.1:27017/?replicaSet=rs0',
    database: `sluice_status_counts_${process.pid}`,
    appName: 'test-status-counts',
  });
  await ensureCollections(mongo.db, systemClock);
});

afterAll(async () => {
  await mongo.db.dropDatabase();
  await mongo.close();
});

describe('the gauges of operations', () => {
  it('count what is stuck, by status, and at most every few seconds', async () => {
    const statuses = ['accepted', 'waiting', 'needs_attention', 'needs_attention', 'succeeded'];
    const operations = mongo.db.collection<{ _id: string }>('operations');
    const put = (status: string, index: number): Promise<unknown> =>
      operations.insertOne({
        _id: `op_${String(index)}`,
        tenantId: 't',
        idempotencyKey: String(index),
        status,
      } as {
        _id: string;
      });
    await Promise.all(statuses.map(put));
    let nowMs = 0;
    const counts = createStatusCounts(mongo.db, { monotonicMs: () => nowMs });
    const expected = { waiting: 1, running: 0, compensating: 0, needs_attention: 2 };
    expect(await counts()).toEqual(expected);
    await operations.deleteOne({ _id: 'op_2' });
    nowMs = 4_000;
    expect(await counts()).toEqual(expected);
    nowMs = 6_000;
    expect(await counts()).toEqual({ ...expected, needs_attention: 1 });
  });
});
