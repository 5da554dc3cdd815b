import { describe, expect, it, onTestFinished } from 'vitest';
import { startApiProcess } from '../support/faults/api-process.ts';
import { openUsers } from '../support/faults/load.ts';
import { type Stage, openStage } from '../support/faults/stage.ts';
import { startTcpProxy } from '../support/faults/tcp-proxy.ts';
import { until } from '../support/faults/worker-process.ts';
import { testUrl } from '../support/saga-arena.ts';

const EUR = 'EUR';

interface Bank {
  readonly stage: Stage;
  readonly count: () => Promise<number>;
}

async function openBank(): Promise<Bank> {
  const stage = await openStage();
  onTestFinished(() => stage.close());
  await openUsers(stage, 2);
  const operations = stage.mongo.db.collection('operations');
  return {
    stage,
    count: () => operations.countDocuments({ type: { $in: ['transfer', 'deposit'] } }),
  };
}

const transfer = {
  type: 'transfer',
  input: { fromUserId: 'u0', toUserId: 'u1', currency: EUR, amount: 5 },
};
const deposit = {
  type: 'deposit',
  input: { userId: 'u0', currency: EUR, amount: 400, instrument: 'card' },
};

/** Where the API dies, and how many operations are stored by then. */
const EDGES = [
  ['W1: before the insert', 'ingest.before-insert', 0],
  ['W2: between the insert and the enqueue', 'ingest.after-insert', 1],
] as const;

describe('an API that is killed', { timeout: 120_000 }, () => {
  it.each(EDGES)('%s', async (name, failpoint, stored) => {
    const { stage, count } = await openBank();
    const victim = await startApiProcess({ ...stage.env, FAILPOINTS: failpoint });
    await expect(victim.send('one', transfer)).rejects.toThrow();
    expect(await victim.ended).toBe('SIGKILL');
    await expectDoneOnce({ stage, count }, name, stored);
  });

  it('W4: after the enqueue, before the answer', async () => {
    const { stage, count } = await openBank();
    const victim = await startApiProcess(stage.env);
    const proxy = await startTcpProxy({ port: Number(new URL(victim.url).port) });
    onTestFinished(() => proxy.close());
    proxy.break('lose-replies');
    const unanswered = expect(victim.send('one', transfer, proxy.port)).rejects.toThrow();
    await until('the job to be in Redis', async () => {
      const queues = [...stage.queues.byName.values()];
      const jobs = await Promise.all(queues.map((queue) => queue.getJobs(['waiting'])));
      return jobs.flat().some(({ name }) => name === 'transfer') ? true : undefined;
    });
    victim.kill('SIGKILL');
    await victim.ended;
    await unanswered;
    await expectDoneOnce({ stage, count }, 'W4: after the enqueue, before the answer', 1);
  });
});

async function expectDoneOnce({ stage, count }: Bank, name: string, stored: number): Promise<void> {
  expect(await count()).toBe(stored);
  const healedAt = await stage.healed();
  const [again] = await Promise.all([startApiProcess(stage.env), stage.worker()]);
  // What was stored and never answered settles by itself, before its client comes back.
  await stage.expectRepaired({ fault: name, healedAt });
  const repeat = await again.send('one', transfer);
  expect(repeat).toMatchObject({ status: stored === 0 ? 202 : 200, isReplay: stored === 1 });
  await stage.expectRepaired({ fault: name, healedAt: await stage.healed() });
  expect((await stage.wallet('u0')).balance).toBe(9_995n);
  expect(await count()).toBe(1);
}

describe('W3: an enqueue', { timeout: 120_000 }, () => {
  it.each(['lose-replies', 'black-hole'] as const)(
    'that gets no answer (%s) is answered 202 in time, and done once',
    async (how) => {
      const { stage, count } = await openBank();
      const redis = new URL(testUrl('REDIS_URL'));
      const proxy = await startTcpProxy({ port: Number(redis.port) });
      onTestFinished(() => proxy.close());
      const REDIS_URL = `redis://127.0.0.1:${String(proxy.port)}`;
      const api = await startApiProcess({ ...stage.env, REDIS_URL });
      expect((await api.send('before', deposit)).status).toBe(202);
      proxy.break(how);
      const blind = await Promise.all(['one', 'two', 'three'].map((key) => api.send(key, deposit)));
      for (const { status, tookMs } of blind) {
        expect(status).toBe(202);
        expect(tookMs).toBeLessThan(2_500);
      }
      // Sent again while the first enqueue still waits for its answer.
      expect(await api.send('one', deposit)).toMatchObject({ isReplay: true });
      await stage.worker();
      const healedAt = await stage.healed();
      proxy.heal(); // the client of Redis sends again what was not answered
      await stage.expectRepaired({ fault: `W3 enqueue without an answer, ${how}`, healedAt });
      expect(await count()).toBe(4);
      expect((await stage.wallet('u0')).balance).toBe(11_600n);
      expect((await api.send('four', deposit)).status).toBe(202);
    },
  );
});
