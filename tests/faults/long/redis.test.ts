import { truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/kernel/clock.ts';
import { jobOf } from '../../../core/operations/operation.ts';
import { mixedRequests, openUsers } from '../../support/faults/load.ts';
import { appendedFile } from '../../support/faults/appended-file.ts';
import { expectNoOpenHolds, openRedisStage } from '../../support/faults/redis-stage.ts';

describe('Redis', { timeout: 180_000 }, () => {
  it('W13: that loses its last second in a crash brings back done jobs and loses new ones', async () => {
    const { stage, redis } = await openRedisStage();
    const users = await openUsers(stage, 12);
    await Promise.all([stage.worker(), stage.worker()]);
    await stage.accept(mixedRequests(users, 60));
    await systemClock.sleep(1_500); // the file is synced every second
    const file = appendedFile(redis.folder);
    const kept = file.size();
    await stage.accept(mixedRequests(users, 90));
    await systemClock.sleep(300);
    redis.server.kill('SIGKILL');
    truncateSync(file.path, kept);
    await systemClock.sleep(500);
    await redis.server.restart();
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W13 Redis loses its last second', healedAt });
    await expectNoOpenHolds(stage);
  });

  it('W15: that is full refuses jobs, and everything settles once there is room', async () => {
    const { stage, redis } = await openRedisStage();
    const users = await openUsers(stage, 12);
    await Promise.all([stage.worker(), stage.worker()]);
    await stage.accept(mixedRequests(users, 30));
    await redis.admin.config('SET', 'maxmemory', '1mb');
    const refused = await stage.accept(mixedRequests(users, 90));
    expect(refused).toHaveLength(90); // accepted all the same: MongoDB has them
    const again = stage.queues.publisher.publishOperations(refused.slice(0, 1).map(jobOf));
    await expect(again).rejects.toThrow('queue_unavailable');
    await systemClock.sleep(2_000);
    await redis.admin.config('SET', 'maxmemory', '0');
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W15 Redis full', healedAt });
    await expectNoOpenHolds(stage);
  });
});
