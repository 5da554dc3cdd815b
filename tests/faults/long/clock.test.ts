import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../core/kernel/clock.ts';
import { mixedRequests, openUsers } from '../../support/faults/load.ts';
import { type Stage, openStage } from '../../support/faults/stage.ts';
import { until } from '../../support/faults/worker-process.ts';

const HOUR_MS = 3_600_000;

async function openOwnStage(): Promise<{ stage: Stage; users: readonly string[] }> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  return { stage, users: await openUsers(stage, 6) };
}

const openHolds = async (stage: Stage): Promise<number> =>
  (await stage.holds()).filter(({ status }) => status === 'open').length;

describe('W22: a clock that is wrong', { timeout: 180_000 }, () => {
  it.each([
    ['an hour fast', HOUR_MS],
    ['an hour slow', -HOUR_MS],
  ])('%s, puts nothing off beyond the repair budget', async (how, skewMs) => {
    const { stage, users } = await openOwnStage();
    stage.sandbox.inject({ on: 'payouts', kind: 'delay', times: 8, delayMs: 2_000 });
    const skewed = await stage.worker({
      FAULTS_SKEW_MS: String(skewMs),
      WORKER_POOLS: 'settlement,saga',
    });
    await stage.accept(mixedRequests(users, 48));
    await until('payouts under way', () =>
      stage.sandbox.payments().some(({ kind }) => kind === 'payouts') ? true : undefined,
    );
    // It gives its work back "in a second", by its own clock.
    skewed.kill('SIGTERM');
    await skewed.ended;
    const healedAt = await stage.healed();
    await stage.worker();
    await stage.expectRepaired({ fault: `W22 a worker whose clock is ${how}`, healedAt });
  });

  it('of the sweeper ends neither holds nor leases before their time', async () => {
    const { stage, users } = await openOwnStage();
    const userId = users[0] ?? '';
    const hold = { userId, currency: 'EUR', amount: 5 };
    const expiresAt = new Date(Date.now() + HOUR_MS / 2).toISOString();
    await stage.settleAll([{ type: 'hold.place', input: { ...hold, expiresAt } }]);
    stage.sandbox.inject({ on: 'payouts', kind: 'delay', times: 1, delayMs: 2_500 });
    await stage.worker({ WORKER_POOLS: 'saga' });
    await stage.worker({ WORKER_POOLS: 'recovery', FAULTS_SKEW_MS: String(HOUR_MS) });
    const payment = { userId, currency: 'EUR', amount: 400, instrument: 'card' };
    const [slow] = await stage.accept([{ type: 'withdrawal', input: payment }]);
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W22 a sweeper whose clock is fast', healedAt });
    await systemClock.sleep(1_500); // several sweeps
    expect((await stage.operation(slow?._id ?? '')).epoch).toBe(1);
    expect(await openHolds(stage)).toBe(1);
  });
});
