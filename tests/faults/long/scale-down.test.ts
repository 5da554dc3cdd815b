import { describe, expect, it, onTestFinished } from 'vitest';
import { mixedRequests, openUsers } from '../../support/faults/load.ts';
import { openStage } from '../../support/faults/stage.ts';
import { until } from '../../support/faults/worker-process.ts';

describe('W20: scaling down under load', { timeout: 180_000 }, () => {
  it('by SIGTERM fails nothing and leaves nothing to be repaired', async () => {
    const stage = await openStage();
    onTestFinished(() => stage.close());
    const users = await openUsers(stage, 12);
    const leaving = await Promise.all([stage.worker(), stage.worker()]);
    await stage.worker();
    stage.sandbox.inject({ on: 'payouts', kind: 'delay', times: 10, delayMs: 800 });
    const operations = stage.mongo.db.collection('operations');
    for (const worker of leaving) {
      await stage.accept(mixedRequests(users, 120));
      await until('work under way', async () => {
        const found = await operations.findOne({ status: 'running' });
        return found ?? undefined;
      });
      worker.kill('SIGTERM');
      expect(await worker.ended).toBe(0);
    }
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W20 scale-down', healedAt });
    const failed = await Promise.all(
      [...stage.queues.byName.values()].map((queue) => queue.getFailedCount()),
    );
    expect(failed.reduce((sum, count) => sum + count, 0)).toBe(0);
    expect(await operations.countDocuments({ interruptions: { $gt: 0 } })).toBe(0);
    expect(await operations.countDocuments({ status: 'needs_attention' })).toBe(0);
  });
});
