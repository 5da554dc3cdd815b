import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { runSluice } from '../../../cli/program.ts';
import { startSandbox } from '../../../scripts/dev/sandbox/server.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { startSagas } from '../../../workers/saga.ts';
import { startSettlement } from '../../../workers/settlement.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';

const EUR = { currency: 'EUR' } as const;
const operationsOf = ({ platform }: Instance) =>
  collection<OperationDoc>(platform.mongo.db, 'operations');

/** Runs `sluice …` in this process, against the test's own database and Redis. */
async function sluice(node: Instance, ...args: readonly string[]) {
  const { MONGO_URL, MONGO_DB, REDIS_URL, QUEUE_PREFIX } = node.platform.env;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let code = 0;
  await runSluice(args, {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: { MONGO_URL, MONGO_DB, REDIS_URL, QUEUE_PREFIX },
    dev: undefined,
    exit: (given) => {
      code = given;
    },
  });
  const textOf = (stream: PassThrough): string => String((stream.read() as Buffer | null) ?? '');
  return { code, out: textOf(stdout), err: textOf(stderr) };
}

interface Report {
  readonly operations: number;
  readonly enqueued: number;
  readonly events: number;
  readonly schedules: number;
}

async function redispatch(node: Instance): Promise<Report> {
  const { code, out } = await sluice(node, 'redispatch', '--all', '--json');
  expect(code).toBe(0);
  return JSON.parse(out) as Report;
}

async function jobIds({ queues }: Instance): Promise<readonly string[]> {
  const lists = await Promise.all(
    [...queues.byName.values()].map((queue) =>
      queue.getJobs(['waiting', 'active', 'delayed', 'prioritized']),
    ),
  );
  return lists
    .flat()
    .map(({ id = '' }) => id)
    .sort();
}

/** Nothing of recovery runs in these tests: what is settled, the command has brought about. */
async function settleAll(
  node: Instance,
  { atomic, stepwise }: Record<'atomic' | 'stepwise', readonly OperationDoc[]>,
): Promise<readonly string[]> {
  const { platform, queues } = node;
  const deps = { platform, publisher: queues.publisher, hints: { announce: () => undefined } };
  startSettlement(deps);
  const first = await settled(node, atomic, 20_000);
  startSagas(deps); // they need the wallets
  startNotifications(deps);
  const second = await settled(node, stepwise, 20_000);
  return [...first, ...second].map(({ status }) => status);
}

describe('sluice redispatch --all', () => {
  it('rebuilds an emptied Redis: everything settles, and repeating it adds nothing', async () => {
    const sandbox = await startSandbox();
    const { open } = await openWorld();
    const node = await open({ SANDBOX_URL: sandbox.url });
    const users = ['ann', 'bob', 'cid'].map((userId) =>
      submission('user.create', { userId, wallets: [EUR] }),
    );
    const later = { runAt: new Date(Date.now() + 3_600_000) };
    const credit = { userId: 'ann', ...EUR, amount: 1_000 };
    const deposit = { ...credit, instrument: 'card' };
    const atomic = await accept(node, [
      ...users,
      submission('wallet.credit', credit),
      submission('transfer', { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 10 }),
    ]);
    const stepwise = await accept(node, [
      submission('deposit', deposit),
      submission('deposit', { ...deposit, userId: 'bob' }),
    ]);
    const scheduled = await accept(node, [submission('wallet.credit', credit, later)]);
    const parkedRows = { _id: 'obx_left_0', tenantId: 'default', events: [] };
    await node.platform.mongo.db.collection<{ _id: string }>('outbox').insertOne({
      ...parkedRows,
      nextCheckAt: new Date(Date.now() + 3_600_000),
      createdAt: new Date(),
    } as never);
    for (const queue of node.queues.byName.values()) await queue.obliterate({ force: true });
    expect(await jobIds(node)).toEqual([]);

    const first = await redispatch(node);
    const due = [...atomic, ...stepwise];
    expect(first).toMatchObject({ operations: 7, enqueued: 7, events: 1, schedules: 1 });
    const ids = (await jobIds(node)).filter((id) => !id.startsWith('repeat:'));
    expect(ids).toEqual([...due.map(({ _id }) => `${_id}.2`), 'obx_left_0'].sort());

    const again = await redispatch(node);
    expect(again).toMatchObject({ operations: 7, enqueued: 0, schedules: 0 });
    expect((await jobIds(node)).filter((id) => !id.startsWith('repeat:'))).toEqual(ids);

    const statuses = await settleAll(node, { atomic, stepwise });
    expect(new Set(statuses)).toEqual(new Set(['succeeded']));
    expect((await readOperations(node, scheduled))[0]?.status).toBe('waiting');
    const rows = node.platform.mongo.db.collection('outbox');
    await expect.poll(() => rows.countDocuments(), { timeout: 15_000 }).toBe(0);
    expect(await redispatch(node)).toMatchObject({ operations: 0, enqueued: 0, events: 0 });
    await expectSoundLedger(node);
    await sandbox.close();
  });

  it('leaves alone what a live worker has claimed, and takes up what a dead one left', async () => {
    const { node } = await openWorld();
    const deposit = { userId: 'ann', ...EUR, amount: 1, instrument: 'card' };
    const [alive, dead] = await accept(node, [
      submission('deposit', deposit),
      submission('deposit', deposit),
    ]);
    for (const queue of node.queues.byName.values()) await queue.obliterate({ force: true });
    const claimed = (ms: number) => ({
      $set: { status: 'running' as const, leaseUntil: new Date(Date.now() + ms) },
    });
    await operationsOf(node).updateOne({ _id: alive?._id ?? 'op_' }, claimed(60_000));
    await operationsOf(node).updateOne({ _id: dead?._id ?? 'op_' }, claimed(-60_000));
    expect(await redispatch(node)).toMatchObject({ operations: 1, enqueued: 1 });
    expect((await jobIds(node)).filter((id) => id.startsWith('op_'))).toEqual([
      `${String(dead?._id)}.2`,
    ]);
  });

  it('asks to be told what, and says so', async () => {
    const { node } = await openWorld();
    const { code, err } = await sluice(node, 'redispatch');
    expect(code).toBe(2);
    expect(err).toContain('--all');
  });

  it('reports for people, too', async () => {
    const { node } = await openWorld();
    await accept(node, [submission('user.create', { userId: 'ann' })]);
    const { out } = await sluice(node, 'redispatch', '--all');
    expect(out).toMatch(/1 open operations in .*\n +enqueued again +0\n +had their job +1\n/);
  });
});
