import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../config/limits.ts';
import { createLeaseStore } from '../../core/infra/lease-store.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import { jobOf } from '../../core/operations/operation.ts';
import { createNews } from '../../core/recovery/news.ts';
import { createRecoveryStore } from '../../core/operations/recovery-store.ts';
import { createRepairStore } from '../../core/operations/repair-store.ts';
import { sweep } from '../../core/recovery/sweep.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { mixedRequests, openUsers } from '../support/faults/load.ts';
import { sizeOf } from '../support/faults/repairs.ts';
import { type Stage, openStage } from '../support/faults/stage.ts';
import { until } from '../support/faults/worker-process.ts';

/** A sweeper that takes no notice of the other one's lease. */
function sweepDeps({ mongo, queues }: Stage, workerId: string) {
  const { db } = mongo;
  const outbox = createOutboxStore(db);
  return {
    workerId,
    store: createRecoveryStore(db),
    repairs: createRepairStore(db, outbox),
    lines: openLines(db, queues.publisher),
    outbox,
    expireHolds: async () => 0,
    schedules: { ensure: async () => 0 },
    leaseMs: LIMITS.sweepLeaseMs,
    leases: { ...createLeaseStore(db), hold: async () => true },
    news: createNews(),
    databaseTime: () => readDatabaseTime(db),
    publisher: queues.publisher,
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    failpoint: noFailpoint,
  };
}

const jobsIn = async ({ queues }: Stage): Promise<number> => {
  const names = ['wait', 'delayed', 'active', 'prioritized', 'completed', 'failed'] as const;
  const counts = await Promise.all(
    [...queues.byName.values()].map((queue) => queue.getJobCounts(...names)),
  );
  return counts.flatMap((count) => Object.values(count)).reduce((sum, count) => sum + count, 0);
};

async function openOwnStage(): Promise<Stage> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  return stage;
}

const CHUNK = 250;

/** Accepted and certainly enqueued, which within its time limit a busy machine may not manage. */
async function acceptInto(stage: Stage): Promise<void> {
  const wallet = { currency: 'EUR', amount: 1 };
  const transfer = { type: 'transfer', input: { fromUserId: 'u0', toUserId: 'u1', ...wallet } };
  const payment = { userId: 'u2', ...wallet, instrument: 'card' };
  const withdrawal = { type: 'withdrawal', input: payment };
  const requests = Array.from({ length: CHUNK }, (_, i) => (i % 2 === 0 ? transfer : withdrawal));
  const jobs = (await stage.accept(requests)).map(jobOf);
  const { publisher } = stage.queues;
  await until('the jobs to be taken', () =>
    publisher.publishOperations(jobs).then(
      () => true,
      () => undefined,
    ),
  );
}

const COUNT = sizeOf({ usual: 2_000, long: 20_000 });

describe(`${String(COUNT)} operations that are slow, but not lost`, { timeout: 300_000 }, () => {
  it('are left alone by two sweepers, however often they look', async () => {
    const stage = await openOwnStage();
    await openUsers(stage, 4);
    for (let taken = 0; taken < COUNT; taken += CHUNK) await acceptInto(stage);
    const operations = stage.mongo.db.collection('operations');
    const jobs = await jobsIn(stage);
    for (let look = 0; look < 2; look += 1) {
      const lookedAt = await stage.healed();
      // As if the time had passed in which a queue should have come to them.
      await operations.updateMany(
        { status: 'accepted' },
        { $set: { nextCheckAt: new Date(Date.now() - 60_000) } },
      );
      const reports = await Promise.all(
        ['one', 'two'].map((name) => sweep(sweepDeps(stage, name))),
      );
      expect(reports.map(({ redispatched }) => redispatched)).toEqual([0, 0]);
      // Of what stands in no lane each one; how many both saw is a matter of who came first.
      const seen = reports.reduce((sum, { overdue }) => sum + overdue, 0);
      expect(seen).toBeGreaterThanOrEqual(COUNT / 2);
      // One page of a lane is put off at a look: one job of it is enough to wake it.
      const left = { status: 'accepted', nextCheckAt: { $lt: lookedAt } };
      expect(await operations.countDocuments(left)).toBeLessThan(COUNT);
    }
    expect(await jobsIn(stage)).toBe(jobs);
    expect(await operations.countDocuments({ 'dispatch.seq': { $gt: 1 } })).toBe(0);
  });
});

const SAGAS = 60;

describe('W18: two sweepers at once', { timeout: 180_000 }, () => {
  it('over interrupted sagas take each over once', async () => {
    const stage = await openOwnStage();
    // Each in a line of its own, or they would wait for one another.
    const users = await openUsers(stage, SAGAS);
    // Claimed by a worker that is no more.
    const gone = stage.engine({
      timing: { leaseMs: 1_000, heartbeatMs: 60_000, fenceMs: 100 },
      failpoint: (name) => {
        if (name === 'saga.after-claim') throw new Error('gone');
      },
    });
    const sagas = mixedRequests(users, SAGAS).filter(
      ({ type }) => type === 'deposit' || type === 'withdrawal',
    );
    const operations = await stage.accept(sagas);
    await Promise.all(operations.map(({ _id }) => gone.engine.run(_id).catch(() => undefined)));
    await systemClock.sleep(1_200); // the leases
    const reports = await Promise.all(['one', 'two'].map((name) => sweep(sweepDeps(stage, name))));
    expect(reports.reduce((sum, { redispatched }) => sum + redispatched, 0)).toBe(sagas.length);
    const taken = await Promise.all(operations.map(({ _id }) => stage.operation(_id)));
    expect(
      new Set(taken.map(({ epoch, dispatch }) => `${String(epoch)}/${String(dispatch.seq)}`)),
    ).toEqual(new Set(['2/2']));
    const healedAt = await stage.healed();
    await stage.worker();
    await stage.expectRepaired({ fault: 'W18 two sweepers', healedAt });
  });
});
