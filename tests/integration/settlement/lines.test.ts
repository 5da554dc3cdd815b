import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { createIntervene } from '../../../core/operations/intervene.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { createInterventionStore } from '../../../core/operations/intervention-store.ts';
import { createRepairStore } from '../../../core/operations/repair-store.ts';
import { wakeDue } from '../../../core/recovery/repair.ts';
import { createServices, createSagas } from '../../../runtime/sagas.ts';
import { openLines } from '../../../core/operations/lines.ts';
import { type OperationDoc, jobOf } from '../../../core/operations/operation.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import { type Sandbox, startSandbox } from '../../../scripts/dev/sandbox/server.ts';
import { startSagas } from '../../../workers/saga.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll, startWorker } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const create = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });
const money = (userId: string, amount: number) => ({ userId, currency: 'EUR', amount });
const payment = (userId: string, amount: number) => ({ ...money(userId, amount), instrument: 'x' });
const credit = (userId: string, amount: number) =>
  submission('wallet.credit', money(userId, amount));
const debit = (userId: string, amount: number) => submission('wallet.debit', money(userId, amount));
const deposit = (userId: string, amount: number, extras = {}) =>
  submission('deposit', payment(userId, amount), extras);
const withdraw = (userId: string, amount: number, extras = {}) =>
  submission('withdrawal', payment(userId, amount), extras);

interface Place {
  readonly node: Instance;
  readonly sandbox: Sandbox;
  /** Takes a stepwise operation as far as it goes, as a job would. */
  run(operation: OperationDoc | undefined): Promise<void>;
  one(operation: OperationDoc | undefined): Promise<OperationDoc>;
  change(operation: OperationDoc | undefined, set: Partial<OperationDoc>): Promise<void>;
  /** The timers of recovery, once. */
  wake(): Promise<void>;
}

const noHints = { announce: () => undefined };

async function openPlace(): Promise<Place> {
  const { open } = await openWorld();
  const sandbox = await startSandbox();
  const node = await open({ SANDBOX_URL: sandbox.url });
  const { platform, queues } = node;
  const { publisher } = queues;
  const services = createServices(platform);
  const { engine, heartbeat } = createSagas({ platform, publisher, hints: noHints, services });
  platform.lifecycle.onClose('test sagas', async () => {
    engine.close();
    await heartbeat.close();
  });
  onTestFinished(() => sandbox.close());
  const { db } = platform.mongo;
  const operations = collection<OperationDoc>(db, 'operations');
  const one = async (operation: OperationDoc | undefined): Promise<OperationDoc> => {
    const [found] = await readOperations(node, operation === undefined ? [] : [operation]);
    if (found === undefined) throw new Error('there is no such operation');
    return found;
  };
  return {
    node,
    sandbox,
    one,
    run: async (operation) => engine.run((await one(operation))._id),
    change: async (operation, set) => {
      await operations.updateOne({ _id: (await one(operation))._id }, { $set: set });
    },
    wake: async () => {
      const { logger, metrics, failpoint } = platform;
      await wakeDue({
        repairs: createRepairStore(db, createOutboxStore(db)),
        lines: openLines(db, publisher),
        databaseTime: node.databaseTime,
        publisher,
        logger,
        metrics,
        failpoint,
      });
    },
  };
}

const longAgo = (): Date => new Date(Date.now() - 120_000);

describe('a stepwise operation whose job comes before its turn', () => {
  it('waits for the credit that it lives on, without an attempt, and is let in by it', async () => {
    const { node, run, one } = await openPlace();
    const [, , paidOut] = await accept(node, [
      create('ann'),
      credit('ann', 900),
      withdraw('ann', 900),
    ]);
    await run(paidOut);
    const early = await one(paidOut);
    expect(early).toMatchObject({ status: 'waiting' });
    expect(early.error).toBeUndefined();
    expect([early.steps, early.interruptions, early.recoveries]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    pokeAll(openSettler(node));
    await until(async () => (await one(paidOut)).status === 'accepted', 'its turn comes');
    const [presence] = await node.queues.publisher.findJobs([jobOf(await one(paidOut))]);
    expect(presence).toBe('queued');
    await run(paidOut);
    expect(outcomesOf([await one(paidOut)])).toEqual(['succeeded']);
    expect((await one(paidOut)).recoveries).toBeUndefined();
    await expectSoundLedger(node);
  });

  it('is found by recovery when nobody tells it that its turn has come', async () => {
    const { node, run, one, change, wake } = await openPlace();
    const [made, , paidOut] = await accept(node, [
      create('ann'),
      credit('ann', 9),
      withdraw('ann', 9),
    ]);
    await run(paidOut);
    // Settled by a process that dies before it can tell anybody.
    const mute = { ...node, queues: { ...node.queues, publisher: refusing(node) } };
    pokeAll(openSettler(mute));
    await settled(node, [made] as OperationDoc[]);
    await change(paidOut, { status: 'waiting', nextCheckAt: longAgo() });
    await wake();
    const found = await one(paidOut);
    expect([found.status, found.recoveries, found.interruptions]).toEqual([
      'accepted',
      undefined,
      undefined,
    ]);
    await run(paidOut);
    expect(outcomesOf([await one(paidOut)])).toEqual(['succeeded']);
  });

  it('is looked at within the repair budget for as long as it is not its turn', async () => {
    const { node, run, one, change, wake } = await openPlace();
    const [, paidOut, next] = await accept(node, [
      credit('ann', 9),
      withdraw('ann', 9),
      withdraw('ann', 9),
    ]);
    await run(paidOut);
    await run(next);
    await change(paidOut, { nextCheckAt: longAgo() });
    await wake();
    const waiting = await one(paidOut);
    expect(waiting.status).toBe('waiting');
    const inMs = (waiting.nextCheckAt?.getTime() ?? Infinity) - Date.now();
    expect(inMs).toBeLessThanOrEqual(LIMITS.lineCheckMs + 1_000);
    expect(inMs).toBeGreaterThan(0);
    expect((await one(next)).status).toBe('waiting');
  });

  it('waits for older stepwise ones in turn, by acceptance', async () => {
    const { node, run, one } = await openPlace();
    const setUp = await accept(node, [create('ann')]);
    pokeAll(openSettler(node));
    await settled(node, setUp);
    const [paidIn, paidOut] = await accept(node, [deposit('ann', 500), withdraw('ann', 500)]);
    await run(paidOut);
    expect((await one(paidOut)).status).toBe('waiting');
    await run(paidIn);
    await until(async () => (await one(paidOut)).status === 'accepted', 'its turn comes');
    await run(paidOut);
    expect(outcomesOf([await one(paidIn), await one(paidOut)])).toEqual(['succeeded', 'succeeded']);
  });

  it('ends at once when it is canceled, and lets the next one in', async () => {
    const { node, run, one } = await openPlace();
    const setUp = await accept(node, [create('ann'), credit('ann', 100)]);
    pokeAll(openSettler(node));
    await settled(node, setUp);
    const [held, behind] = await accept(node, [deposit('ann', 500), withdraw('ann', 100)]);
    await run(behind);
    const { db } = node.platform.mongo;
    const { publisher } = node.queues;
    const intervene = createIntervene({
      ...node.platform,
      store: createInterventionStore(db, createOutboxStore(db)),
      lines: openLines(db, publisher),
      publisher,
      hints: noHints,
      registry: OPERATIONS,
    });
    const tenant = { tenantId: 'default', currencies: [] };
    await intervene(tenant, (await one(held))._id, { kind: 'cancel', actor: 'test' });
    expect(outcomesOf([await one(held), await one(behind)])).toEqual(['canceled', 'accepted']);
  });
});

function refusing(node: Instance) {
  return {
    ...node.queues.publisher,
    publishOperations: () => Promise.reject(new Error('it has just died')),
  };
}

describe('an atomic operation behind a stepwise one of its line', () => {
  it('settles after that has posted, and everything behind it in order', async () => {
    const { node, run, one } = await openPlace();
    startWorker(node);
    await settled(node, await accept(node, [create('ann')]));
    const [paidIn, ...others] = await accept(node, [
      deposit('ann', 500),
      debit('ann', 300),
      debit('ann', 200),
    ]);
    await until(async () => (await one(others[0])).status === 'waiting', 'it leaves its lane');
    const more = await accept(node, [credit('ann', 7), debit('ann', 7)]);
    await run(paidIn);
    const done = await settled(node, [...others, ...more]);
    expect(outcomesOf(done)).toEqual(done.map(() => 'succeeded'));
    expect(done).toHaveLength(4);
    const times = done.map(({ completedAt }) => completedAt?.getTime() ?? Number.NaN);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(done.some(({ line }) => line !== undefined)).toBe(false);
    await expectSoundLedger(node);
  });

  it('does not wait for a withdrawal longer than until its hold is placed', async () => {
    const { node, sandbox, run, one } = await openPlace();
    startWorker(node);
    await settled(node, await accept(node, [create('ann'), credit('ann', 100)]));
    sandbox.inject({ on: 'payouts', kind: 'delay', delayMs: 3_000 });
    const [paidOut, spent] = await accept(node, [withdraw('ann', 60), debit('ann', 60)]);
    const running = run(paidOut);
    const [outcome] = outcomesOf(await settled(node, [spent] as OperationDoc[]));
    expect(outcome).toBe('rejected insufficient_funds'); // the hold came first
    expect((await one(paidOut)).status).toBe('running');
    await running;
  });

  it('waits for a deposit no longer than the line is patient', async () => {
    const { node, sandbox, run, one, change, wake } = await openPlace();
    startWorker(node);
    await settled(node, await accept(node, [create('ann'), credit('ann', 100)]));
    sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 4_000 });
    const [paidIn, spent] = await accept(node, [deposit('ann', 500), debit('ann', 60)]);
    const running = run(paidIn);
    await until(async () => (await one(spent)).status === 'waiting', 'it waits for the deposit');
    const { lineUntil, createdAt } = await one(paidIn);
    const patience = (lineUntil?.getTime() ?? 0) - createdAt.getTime();
    expect(patience).toBeGreaterThanOrEqual(LIMITS.lineHoldMs - 1_000);
    await change(paidIn, { lineUntil: longAgo() });
    await change(spent, { nextCheckAt: longAgo() });
    await wake();
    expect(outcomesOf(await settled(node, [spent] as OperationDoc[]))).toEqual(['succeeded']);
    expect((await one(paidIn)).status).toBe('running');
    await running;
  });

  it('does not wait for a scheduled one before its time, and then only when it is older', async () => {
    const { node, run, one, change, wake } = await openPlace();
    startWorker(node);
    await settled(node, await accept(node, [create('ann'), credit('ann', 100)]));
    const runAt = new Date(Date.now() + 3_600_000);
    const [later] = await accept(node, [deposit('ann', 500, { runAt })]);
    expect(outcomesOf(await settled(node, await accept(node, [debit('ann', 60)])))).toEqual([
      'succeeded',
    ]);
    await change(later, { runAt: longAgo(), nextCheckAt: longAgo() });
    await wake();
    expect(await one(later)).toMatchObject({ status: 'accepted' });
    const [spent] = await accept(node, [debit('ann', 500)]);
    await until(async () => (await one(spent)).status === 'waiting', 'it waits for the deposit');
    await run(later);
    expect(outcomesOf(await settled(node, [spent] as OperationDoc[]))).toEqual(['succeeded']);
  });
});

describe('users that a batch creates, or a line of the client’s own', () => {
  it('are waited for by withdrawals and by transfers, in other lines too', async () => {
    const { node, run, one, wake } = await openPlace();
    const item = (type: string, input: unknown) => ({ type, input });
    const user = (userId: string) =>
      item('user.create', { userId, wallets: [{ currency: 'EUR' }] });
    const [, paidOut, , toCyd, named] = await accept(node, [
      submission('batch', {
        operations: [user('bob'), user('ann'), item('wallet.credit', money('ann', 90))],
      }),
      withdraw('ann', 40),
      { ...create('cyd'), orderingKey: 'mine' },
      submission('transfer', { fromUserId: 'ann', toUserId: 'cyd', currency: 'EUR', amount: 40 }),
      withdraw('cyd', 40, { orderingKey: 'other' }),
    ]);
    await run(paidOut);
    await run(named);
    expect([(await one(paidOut)).status, (await one(named)).status]).toEqual([
      'waiting',
      'waiting',
    ]);
    startWorker(node);
    await until(async () => {
      // Given back in the moment in which the line moved on, it is recovery's, a second later.
      await wake();
      await run(paidOut).catch(() => undefined); // let in just now: its job would come again
      return (await one(paidOut)).status === 'succeeded';
    }, 'the withdrawal has its turn');
    const done = await settled(node, [paidOut, toCyd] as OperationDoc[]);
    expect(outcomesOf(done)).toEqual(['succeeded', 'succeeded']);
  });
});

describe('any mixture of atomic and stepwise operations', () => {
  it('has the outcomes of one after the other, whatever the workers do at once', async () => {
    const { node } = await openPlace();
    const users = Array.from({ length: 12 }, (_, index) => `u${index}`);
    const story = (user: string) => [
      create(user),
      credit(user, 100),
      withdraw(user, 100),
      deposit(user, 50),
      withdraw(user, 30),
      debit(user, 20),
      debit(user, 1),
    ];
    const all = await accept(node, users.flatMap(story));
    startSagas({ platform: node.platform, publisher: node.queues.publisher, hints: noHints });
    startWorker(node);
    const done = outcomesOf(await settled(node, all, 60_000));
    const each = [...Array.from({ length: 6 }, () => 'succeeded'), 'rejected insufficient_funds'];
    expect(done).toEqual(users.flatMap(() => each));
    await expectSoundLedger(node);
  });
});
