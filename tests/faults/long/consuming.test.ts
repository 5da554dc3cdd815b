import { describe, expect, it, onTestFinished } from 'vitest';
import { mixedRequests, openUsers } from '../../support/faults/load.ts';
import { type Stage, openStage } from '../../support/faults/stage.ts';
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { until } from '../../support/faults/worker-process.ts';
import { testUrl } from '../../support/saga-arena.ts';

/** Every lane belongs to one process: the only one that settles. */
async function lanesTaken(stage: Stage): Promise<void> {
  const leases = stage.mongo.db.collection<{ _id: string }>('leases');
  await until('every lane to be taken', async () =>
    (await leases.countDocuments({ _id: /^lane:/ })) === 8 ? true : undefined,
  );
}

describe('W21: a worker that is alive', { timeout: 180_000 }, () => {
  it('but gets nothing from Redis any more still settles its lanes', async () => {
    const stage = await openStage();
    onTestFinished(() => stage.close());
    const users = await openUsers(stage, 6);
    const redis = new URL(testUrl('REDIS_URL'));
    const proxy = await startTcpProxy({ port: Number(redis.port) });
    onTestFinished(() => proxy.close());
    const REDIS_URL = `redis://127.0.0.1:${String(proxy.port)}`;
    await stage.worker({ REDIS_URL, WORKER_POOLS: 'settlement,saga' });
    await lanesTaken(stage);
    await stage.worker({ WORKER_POOLS: 'saga,recovery' });
    proxy.break('black-hole');
    const healedAt = await stage.healed();
    await stage.accept(mixedRequests(users, 60));
    const all = await stage.expectRepaired({ fault: 'W21 alive but not consuming', healedAt });
    const transfers = all.filter(({ type }) => type === 'transfer');
    expect(transfers.map(({ status }) => status)).toEqual(Array(10).fill('succeeded'));
  });
});
