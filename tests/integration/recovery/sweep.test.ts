import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { createNews } from '../../../core/recovery/news.ts';
import { createRecoveryStore } from '../../../core/operations/recovery-store.ts';
import { createRepairStore } from '../../../core/operations/repair-store.ts';
import { isQueueAway, sweep } from '../../../core/recovery/sweep.ts';
import { type OperationDoc, jobOf } from '../../../core/operations/operation.ts';
import type { OutboxRow } from '../../../core/events/outbox.ts';
import { openLines } from '../../../core/operations/lines.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import {
  type Instance,
  accept,
  context,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll, startWorker } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const user = (userId: string) => submission('user.create', { userId });

function sweepDeps(node: Instance, workerId = node.platform.processId) {
  const { mongo, logger, metrics, failpoint } = node.platform;
  return {
    workerId,
    store: createRecoveryStore(mongo.db),
    outbox: createOutboxStore(mongo.db),
    repairs: createRepairStore(mongo.db, createOutboxStore(mongo.db)),
    lines: openLines(mongo.db, node.queues.publisher),
    expireHolds: async () => 0,
    schedules: { ensure: async () => 0 },
    leaseMs: LIMITS.sweepLeaseMs,
    leases: createLeaseStore(mongo.db),
    news: createNews(),
    databaseTime: node.databaseTime,
    publisher: node.queues.publisher,
    logger,
    metrics,
    failpoint,
  };
}

const operationsOf = ({ platform }: Instance) =>
  collection<OperationDoc>(platform.mongo.db, 'operations');
const longAgo = (): Date => new Date(Date.now() - 60_000);

/** As if the time in which somebody should have moved them had passed. */
async function makeOverdue(node: Instance): Promise<void> {
  await operationsOf(node).updateMany(
    { nextCheckAt: { $exists: true } },
    { $set: { nextCheckAt: longAgo() } },
  );
}

async function removeJobs({ queues }: Instance): Promise<void> {
  for (const queue of queues.byName.values()) await queue.obliterate({ force: true });
}

const queueOf = ({ queues }: Instance, name: string) => queues.byName.get(name as 'settlement-0');

/** As a worker does it whose clock is an hour fast. */
async function putOff(node: Instance, name: string, jobId: string): Promise<void> {
  const queue = queueOf(node, name);
  const job = await queue?.getJob(jobId);
  if (queue === undefined || job === undefined) throw new Error(`no job ${jobId}`);
  await job.remove();
  await queue.add(job.name, job.data, { jobId, delay: 3_600_000 });
}

async function jobExists({ queues }: Instance, operation: OperationDoc): Promise<boolean> {
  const queue = queues.byName.get(operation.dispatch.queue as 'settlement-0');
  return (await queue?.getJob(jobOf(operation).jobId)) !== undefined;
}

describe('R1: accepted and not moved', () => {
  it('is enqueued again under the next seq when its job is gone, and settles', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann'), user('bob')]);
    await removeJobs(node);
    await makeOverdue(node);
    const report = await sweep(sweepDeps(node));
    expect(report).toMatchObject({ isLeader: true, overdue: 2, redispatched: 2 });
    const moved = await readOperations(node, operations);
    expect(moved.map(({ dispatch, recoveries }) => [dispatch.seq, recoveries])).toEqual([
      ...[
        [2, 1],
        [2, 1],
      ],
    ]);
    for (const operation of moved) {
      expect(await jobExists(node, operation)).toBe(true);
      expect(operation.nextCheckAt?.getTime()).toBeGreaterThan(Date.now());
    }
    startWorker(node);
    expect(outcomesOf(await settled(node, operations))).toEqual(['succeeded', 'succeeded']);
  });

  it('is enqueued again whatever setting its lane is of', async () => {
    const { node, open } = await openWorld();
    const wide = await open({ SETTLEMENT_LANES: 40 });
    const users = Array.from({ length: 12 }, (_, index) => user(`u${index}`));
    const operations = await accept(wide, users);
    await removeJobs(wide);
    await makeOverdue(node);
    expect(await sweep(sweepDeps(node))).toMatchObject({ overdue: 12, redispatched: 12 });
    const moved = await readOperations(node, operations);
    expect(new Set(moved.map(({ dispatch }) => dispatch.seq))).toEqual(new Set([2]));
    for (const operation of moved) expect(await jobExists(node, operation)).toBe(true);
  });

  it('is only put off when its job still stands in the queue', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    await makeOverdue(node);
    const report = await sweep(sweepDeps(node));
    expect(report).toMatchObject({ overdue: 1, redispatched: 0 });
    const [operation] = await readOperations(node, operations);
    expect(operation?.dispatch.seq).toBe(1);
    expect(operation?.recoveries).toBeUndefined();
    expect(operation?.nextCheckAt?.getTime()).toBeGreaterThan(Date.now());
  });

  it('is let in when its job is put off, by the same job', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    const [accepted] = operations;
    if (accepted === undefined) throw new Error('not accepted');
    await putOff(node, accepted.dispatch.queue, jobOf(accepted).jobId);
    await makeOverdue(node);
    expect(await sweep(sweepDeps(node))).toMatchObject({ overdue: 1, redispatched: 0 });
    const [operation] = await readOperations(node, operations);
    expect(operation?.dispatch.seq).toBe(1);
    const queue = queueOf(node, accepted.dispatch.queue);
    expect(await queue?.getJobCounts('delayed', 'waiting')).toEqual({ delayed: 0, waiting: 1 });
  });

  it('is only put off, too, when it was let back in to compensate', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann'), user('bob')]);
    const [slow, lost] = operations;
    if (lost === undefined) throw new Error('not accepted');
    await operationsOf(node).updateMany({}, { $set: { status: 'compensating' } });
    const queue = queueOf(node, lost.dispatch.queue);
    await (await queue?.getJob(jobOf(lost).jobId))?.remove();
    await makeOverdue(node);
    expect(await sweep(sweepDeps(node))).toMatchObject({ overdue: 2, redispatched: 1 });
    const seqs = (await readOperations(node, operations)).map(({ dispatch }) => dispatch.seq);
    expect([slow?.dispatch.seq, ...seqs]).toEqual([1, 1, 2]);
  });

  it('is enqueued again when its job is finished and it is not', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    startWorker(node);
    const [done] = await settled(node, operations);
    const again = { status: 'accepted', nextCheckAt: longAgo() } as const;
    await operationsOf(node).updateOne({ _id: done?._id ?? 'op_' }, { $set: again });
    expect(await sweep(sweepDeps(node))).toMatchObject({ overdue: 1, redispatched: 1 });
  });

  it('is left alone once it is settled or not yet due', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    pokeAll(openSettler(node));
    await settled(node, operations);
    await accept(node, [user('bob')]);
    expect(await sweep(sweepDeps(node))).toMatchObject({ overdue: 0, redispatched: 0 });
  });

  it('is redispatched once by two sweepers that look at the same moment', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await node.ingest.submit(
      Array.from({ length: 50 }, (_, index) => user(`u${index}`)),
      context(),
    );
    await removeJobs(node);
    await makeOverdue(node);
    const nobodyLeads = { hold: async () => true, release: async () => undefined };
    const reports = await Promise.all([
      sweep({ ...sweepDeps(node), leases: nobodyLeads }),
      sweep({ ...sweepDeps(other), leases: nobodyLeads }),
    ]);
    expect(reports.reduce((sum, report) => sum + report.redispatched, 0)).toBe(50);
    const stored = await operationsOf(node).find().toArray();
    expect(new Set(stored.map(({ dispatch }) => dispatch.seq))).toEqual(new Set([2]));
    const counts = await Promise.all(
      [...node.queues.byName.values()].map((queue) => queue.count()),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(50);
  });

  it('leaves the work to the holder of the lease', async () => {
    const { node } = await openWorld();
    await accept(node, [user('ann')]);
    await removeJobs(node);
    await makeOverdue(node);
    await createLeaseStore(node.platform.mongo.db).hold('sweep', 'another', LIMITS.sweepLeaseMs);
    expect(await sweep(sweepDeps(node))).toMatchObject({ isLeader: false, overdue: 0 });
  });

  it('goes through a backlog larger than one round', async () => {
    const { node } = await openWorld();
    const many = Array.from({ length: LIMITS.sweepBatch * 2 + 10 }, (_, index) =>
      user(`u${index}`),
    );
    await accept(node, many);
    await removeJobs(node);
    await makeOverdue(node);
    expect(await sweep(sweepDeps(node))).toMatchObject({ redispatched: many.length });
  });

  it('waits for Redis to come back, and counts nothing as repaired meanwhile', async () => {
    const { node, open } = await openWorld();
    const cut = await open({ REDIS_URL: 'redis://127.0.0.1:1' });
    const operations = await accept(node, [user('ann')]);
    await removeJobs(node);
    await makeOverdue(node);
    const failure = await sweep(sweepDeps(cut)).catch((error: unknown) => error);
    expect(isQueueAway(failure)).toBe(true);
    const [operation] = await readOperations(node, operations);
    expect(operation?.status).toBe('accepted');
    await makeOverdue(node);
    expect(await sweep(sweepDeps(node, cut.platform.processId))).toMatchObject({ redispatched: 1 });
  });

  it('tells how old the oldest open operation is, also while Redis is away', async () => {
    const { node, open } = await openWorld();
    const cut = await open({ REDIS_URL: 'redis://127.0.0.1:1' });
    const [operation] = await accept(node, [user('ann')]);
    await operationsOf(node).updateOne(
      { _id: operation?._id ?? 'op_' },
      { $set: { createdAt: longAgo(), nextCheckAt: longAgo() } },
    );
    await sweep(sweepDeps(cut)).catch(() => undefined);
    const { values } = await cut.platform.metrics.oldestOpen.get();
    expect(values[0]?.value).toBeGreaterThan(50);
  });
});

describe('R7: outbox rows that nobody has dealt with', () => {
  it('are let in when their job is put off', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    pokeAll(openSettler(node));
    await settled(node, operations);
    const events = queueOf(node, 'events');
    await until(async () => (await events?.getWaitingCount()) === 1, 'the job of the events');
    const outbox = collection<OutboxRow>(node.platform.mongo.db, 'outbox');
    await putOff(node, 'events', (await outbox.findOne({}))?._id ?? '');
    await outbox.updateMany({}, { $set: { nextCheckAt: longAgo() } });
    expect(await sweep(sweepDeps(node))).toMatchObject({ events: 1 });
    expect(await events?.getJobCounts('delayed', 'waiting')).toEqual({ delayed: 0, waiting: 1 });
  });

  it('are published again under the same id', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann')]);
    pokeAll(openSettler(node));
    await settled(node, operations);
    const outbox = collection<OutboxRow>(node.platform.mongo.db, 'outbox');
    await removeJobs(node);
    expect(await sweep(sweepDeps(node))).toMatchObject({ events: 0 });
    await outbox.updateMany({}, { $set: { nextCheckAt: longAgo() } });
    expect(await sweep(sweepDeps(node))).toMatchObject({ events: 1 });
    const [row] = await outbox.find().toArray();
    const job = await node.queues.byName.get('events')?.getJob(row?._id ?? '');
    expect(job?.data).toEqual({ v: 1, rowId: row?._id, tenantId: 'default' });
    expect(row?.nextCheckAt.getTime()).toBeGreaterThan(Date.now());
    await expectSoundLedger(node);
  });
});
