import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseEnv } from '../../config/env.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { jobOf } from '../../core/operations/operation.ts';
import { isSettled } from '../../core/operations/status.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { type Queues, openQueues } from '../../queues/producer.ts';
import { expectSoundBooks } from '../support/books.ts';
import { anotherJobOf } from '../support/jobs.ts';
import { type Arena, openArena, testUrl } from '../support/saga-arena.ts';
import { type WorkerProcess, startWorkerProcess, until } from '../support/faults/worker-process.ts';

let arena: Arena;
let queues: Queues;
let env: Record<string, string>;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  arena = await openArena();
  // A transaction outlives its client until then: MongoDB's own 60 s are beyond our 45.
  const limit = { setParameter: 1, transactionLifetimeLimitSeconds: 10 };
  await arena.mongo.client.db('admin').command(limit);
  env = {
    NODE_ENV: 'test',
    MONGO_URL: testUrl('MONGO_URL'),
    REDIS_URL: testUrl('REDIS_URL'),
    MONGO_DB: arena.mongo.db.databaseName,
    QUEUE_PREFIX: `sg-${randomBytes(4).toString('hex')}`,
    SANDBOX_URL: arena.sandbox.url,
    WORKER_POOLS: 'saga,recovery',
  };
  const logger = createLogger({ level: 'silent', service: 'test' });
  queues = openQueues({ env: parseEnv(env), logger, clock: systemClock });
  await until('Redis', () => (queues.connection.status === 'ready' ? true : undefined));
});

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.kill('SIGKILL');
    await worker.ended;
  }
});

afterAll(async () => {
  await Promise.all([...queues.byName.values()].map((queue) => queue.obliterate({ force: true })));
  await queues.close();
  await arena.close();
});

async function start(extra: Record<string, string> = {}): Promise<WorkerProcess> {
  const worker = await startWorkerProcess({ ...env, ...extra });
  workers.push(worker);
  return worker;
}

async function withdraw(instrument = 'account'): Promise<{ id: string; userId: string }> {
  const userId = `w${randomBytes(6).toString('hex')}`;
  const wallet = { userId, currency: 'EUR' };
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { ...wallet, amount: 1_000 });
  const id = await arena.submit('withdrawal', { ...wallet, amount: 400, instrument });
  return { id, userId };
}

const enqueue = async (id: string, seq?: number): Promise<void> => {
  const operation = await arena.operation(id);
  const job = seq === undefined ? jobOf(operation) : anotherJobOf(operation, seq);
  await queues.publisher.publishOperations([job]);
};

const settled = (id: string) =>
  until(`the end of ${id}`, async () => {
    const operation = await arena.operation(id);
    return isSettled(operation.status) ? operation : undefined;
  });

const payouts = (id: string) =>
  arena.sandbox.payments().filter(({ key, kind }) => key.startsWith(id) && kind === 'payouts');

async function expectPaidOnce(id: string, userId: string): Promise<void> {
  expect(payouts(id)).toHaveLength(1);
  expect(await arena.wallet(userId)).toMatchObject({ balance: 600n, lockedBalance: 0n });
  await expectSoundBooks(arena.mongo.db);
}

const EDGES = [
  ['W6: before it claims', 'saga.before-claim'],
  ['W7: inside the transaction of the hold', 'saga.in-transaction'],
  ['W8: after the payout, before the journal', 'saga.after-call@2'],
  ['W9: after the last commit, before the job is complete', 'saga.after-publish@2'],
  ['W10: after a commit, before what follows from it is published', 'saga.after-commit@2'],
] as const;

describe('a worker that is killed', { timeout: 120_000 }, () => {
  it.each(EDGES)('%s', async (_name, failpoint) => {
    const { id, userId } = await withdraw();
    const victim = await start({ FAILPOINTS: failpoint, WORKER_POOLS: 'saga' });
    await enqueue(id);
    expect(await victim.ended).toBe('SIGKILL');
    const healedMs = performance.now();
    await start();
    expect(await settled(id)).toMatchObject({ status: 'succeeded' });
    expect(performance.now() - healedMs).toBeLessThan(45_000);
    await expectPaidOnce(id, userId);
  });
});

describe('W16: a worker that is stopped past its lease', { timeout: 120_000 }, () => {
  it('is fenced out when it goes on after another one has finished', async () => {
    const { id, userId } = await withdraw();
    // The answer to the payout comes while the worker is stopped, so it wakes up with it.
    arena.sandbox.inject({ on: 'payouts', kind: 'delay', delayMs: 1_500 });
    const zombie = await start({ WORKER_POOLS: 'saga' });
    await enqueue(id);
    await until('the payout', async () => {
      const { steps = [] } = await arena.operation(id);
      return steps.find(({ name, status }) => name === 'payout' && status === 'started');
    });
    zombie.kill('SIGSTOP');
    await start();
    const finished = await settled(id);
    expect(finished.status).toBe('succeeded');
    zombie.kill('SIGCONT');
    // It has noticed once it takes new work.
    const next = await withdraw();
    await enqueue(next.id);
    await settled(next.id);
    const after = await arena.operation(id);
    expect([after.epoch, after.rev, after.status]).toEqual([
      finished.epoch,
      finished.rev,
      finished.status,
    ]);
    await expectPaidOnce(id, userId);
  });
});

describe('W5: a job that is delivered twenty times', { timeout: 120_000 }, () => {
  it('has one effect', async () => {
    const { id, userId } = await withdraw();
    await Promise.all(Array.from({ length: 20 }, (_, index) => enqueue(id, index + 100)));
    await Promise.all([start(), start()]);
    expect(await settled(id)).toMatchObject({ status: 'succeeded' });
    await expectPaidOnce(id, userId);
  });
});

describe('W14: Redis that is emptied', { timeout: 120_000 }, () => {
  it('loses no retry that is pending', async () => {
    const { id, userId } = await withdraw();
    arena.sandbox.inject({ on: 'payouts', kind: 'throttle', delayMs: 5_000 });
    await start();
    await enqueue(id);
    await until('the retry to be pending', async () => {
      const { status } = await arena.operation(id);
      return status === 'waiting' ? true : undefined;
    });
    const keys = await queues.connection.keys(`${env['QUEUE_PREFIX'] ?? ''}:*`);
    if (keys.length > 0) await queues.connection.del(...keys);
    expect(await settled(id)).toMatchObject({ status: 'succeeded' });
    await expectPaidOnce(id, userId);
  });
});
