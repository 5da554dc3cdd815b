import { describe, it } from 'vitest';
import { mixedRequests, openUsers } from '../support/faults/load.ts';
import { expectNoOpenHolds, openRedisStage } from '../support/faults/redis-stage.ts';
import { sizeOf } from '../support/faults/repairs.ts';
import { until } from '../support/faults/worker-process.ts';

describe('Redis', { timeout: 180_000 }, () => {
  it('W14: emptied under load, with retries and expiring holds pending, loses nothing', async () => {
    const { stage, redis } = await openRedisStage();
    const users = await openUsers(stage, 12);
    stage.sandbox.inject({ on: 'payouts', kind: 'throttle', times: 6, delayMs: 4_000 });
    stage.sandbox.inject({ on: 'captures', kind: 'error', times: 6 });
    await Promise.all([stage.worker(), stage.worker()]);
    for (let wave = 0; wave < sizeOf({ usual: 3, long: 12 }); wave += 1) {
      await stage.accept(mixedRequests(users, 60));
      await until('work under way', async () => {
        const open = { status: { $in: ['running', 'waiting'] } };
        return (await stage.mongo.db.collection('operations').findOne(open)) ?? undefined;
      });
      await redis.admin.flushall();
    }
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W14 Redis emptied under load', healedAt });
    await expectNoOpenHolds(stage);
    const released = stage.mongo.db.collection<{ _id: string }>('operations');
    const releases = await released.find({ type: 'hold.release' }).toArray();
    const ids = releases.map(({ _id }) => _id);
    await stage.expectRepaired({ fault: 'W14 releases of expired holds', healedAt, ids });
  });
});
