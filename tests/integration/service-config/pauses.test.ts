import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { allOf } from '../../../core/kernel/every.ts';
import { startRecovery } from '../../../workers/recovery.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { startWorker } from '../../support/settling.ts';
import { sluiceOn } from '../../support/sluice-command.ts';
import { until } from '../../support/wait.ts';

const EUR = { currency: 'EUR' } as const;
const WHY = ['--reason', 'a test'] as const;

async function sluice({ platform }: Instance, ...args: readonly string[]) {
  const end = await sluiceOn(platform, ...args, ...WHY);
  expect([end.code, end.err]).toEqual([0, '']);
  const count = args[0] === 'pause' ? 1 : 0;
  await until(() => platform.pauses.active.length === count, 'the process knows', 5_000);
}

/** Settles and repairs, in a hurry. */
async function openNode() {
  const world = await openWorld();
  const { node } = world;
  startWorker(node);
  startRecovery({
    platform: node.platform,
    publisher: node.queues.publisher,
    sweepIntervalMs: 300,
  });
  const users = ['ann', 'bob', 'cyd'].map((userId) =>
    submission('user.create', { userId, wallets: [EUR] }),
  );
  await settled(node, await accept(node, users));
  const money = submission('wallet.credit', { userId: 'ann', ...EUR, amount: '1000' });
  await settled(node, await accept(node, [money]));
  return world;
}

const credit = (userId: string, amount: string) =>
  submission('wallet.credit', { userId, ...EUR, amount });
const transfer = (toUserId: string, amount: string) =>
  submission('transfer', { fromUserId: 'ann', toUserId, ...EUR, amount });

const statuses = async (node: Instance, operations: Parameters<typeof readOperations>[1]) =>
  (await readOperations(node, operations)).map(({ status }) => status);

describe('a paused type', () => {
  it('waits with whatever is behind it in its line; others go on, and it loses nothing', async () => {
    const { node } = await openNode();
    await sluice(node, 'pause', '--type', 'transfer');
    // The second needs the money of nobody; it stands behind the first, in the line of Ann.
    const ops = await accept(node, [
      transfer('bob', '100'),
      credit('ann', '5'),
      credit('cyd', '7'),
    ]);
    const [first, behind, other] = ops;
    if (first === undefined || behind === undefined || other === undefined) throw new Error('none');
    await settled(node, [other]);
    await until(
      async () => (await statuses(node, [first, behind])).join() === 'waiting,waiting',
      'both wait',
    );
    const held = await readOperations(node, [first, behind]);
    const pause = node.platform.pauses.on({ type: 'transfer', tenant: 'default' });
    expect(pause).toMatchObject({ reason: 'a test', author: expect.stringContaining('cli:') });
    expect(held.map(({ pausedBy }) => pausedBy)).toEqual([pause?._id, pause?._id]);
    // Redis forgets everything, and recovery sweeps again and again: they stay as they are.
    const redis = new Redis(node.platform.env.REDIS_URL);
    for (const key of await redis.keys(`${node.platform.env.QUEUE_PREFIX}*`)) await redis.del(key);
    redis.disconnect();
    const later = await accept(node, [credit('ann', '3')]);
    await until(async () => (await statuses(node, later)).join() === 'waiting', 'it queues up');
    const seen = await readOperations(node, [first, behind]);
    expect(seen.map(({ dispatch }) => dispatch.seq)).toEqual(
      held.map(({ dispatch }) => dispatch.seq),
    );
    expect(seen.map(({ nextCheckAt }) => nextCheckAt)).toEqual(
      held.map(({ nextCheckAt }) => nextCheckAt),
    );
    await sluice(node, 'resume', '--type', 'transfer');
    const done = await settled(node, [first, behind, ...later]);
    expect(done.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(done.map(({ interruptions, pausedBy }) => [interruptions, pausedBy])).toEqual(
      done.map(() => [undefined, undefined]),
    );
    const entries = await node.platform.mongo.db
      .collection('transactions')
      .find({ userId: 'ann', balanceType: 'real' })
      .sort({ seq: 1 })
      .toArray();
    expect(entries.map(({ amount }) => String(amount))).toEqual(['1000', '100', '5', '3']);
    await expectSoundLedger(node);
  });
});

describe('a paused tenant', () => {
  it('goes on at the pace that was asked for, in the order of acceptance', async () => {
    const { node } = await openNode();
    await sluice(node, 'pause', '--tenant', 'default');
    const credits = Array.from({ length: 12 }, (_, index) => credit('bob', String(index + 1)));
    const held = await accept(node, credits);
    await until(
      async () => allOf(await statuses(node, held), (status) => status === 'waiting'),
      'all wait',
    );
    const { out } = await sluiceOn(node.platform, 'pauses', '--json');
    expect(JSON.parse(out)).toMatchObject({
      items: [{ key: 'tenant:default', held: { operations: 12, deliveries: 0 } }],
    });
    const startedMs = performance.now();
    await sluiceOn(node.platform, 'resume', '--tenant', 'default', '--rate', '5', ...WHY);
    await settled(node, held);
    expect(performance.now() - startedMs).toBeGreaterThan(1_500);
    const entries = await node.platform.mongo.db
      .collection('transactions')
      .find({ userId: 'bob' })
      .sort({ seq: 1 })
      .toArray();
    const inOrder = Array.from({ length: 12 }, (_, index) => String(index + 1));
    expect(entries.map(({ amount }) => String(amount))).toEqual(inOrder);
    await until(() => node.platform.pauses.active.length === 0, 'it is over', 5_000);
    await expectSoundLedger(node);
  });
});

describe('what is paused', () => {
  it('costs nothing while it waits: no lane is read again and again for it', async () => {
    const world = await openWorld({ monitor: true });
    const { node } = world;
    await settled(
      node,
      await (async () => {
        startWorker(node);
        return accept(node, [submission('user.create', { userId: 'ann', wallets: [EUR] })]);
      })(),
    );
    await sluice(node, 'pause', '--type', 'wallet.credit');
    const held = await accept(
      node,
      Array.from({ length: 50 }, (_, index) => credit('ann', String(index + 1))),
    );
    await until(
      async () => allOf(await statuses(node, held), (status) => status === 'waiting'),
      'all wait',
    );
    let commands = 0;
    node.platform.mongo.client.on('commandStarted', ({ command }) => {
      if (command['find'] === 'operations' || command['aggregate'] === 'operations') commands += 1;
    });
    const startedMs = performance.now();
    await until(() => performance.now() - startedMs > 1_500, 'a while passes');
    // The lanes' lag is looked at every five seconds; a lane that spins is read fifty times a second.
    expect(commands).toBeLessThan(30);
  });

  it('must make sense', async () => {
    const { node } = await openWorld();
    const refused = [
      [['pause'], 'Say what to pause'],
      [['pause', '--type', 'gift'], 'no operation type gift'],
      [['pause', '--type', 'transfer', '--channel', 'sms'], 'nothing is both'],
      [['pause', '--provider', 'paypal'], '--provider'],
      [['resume', '--type', 'transfer'], 'is not paused'],
    ] as const;
    for (const [args, says] of refused) {
      const { code, err } = await sluiceOn(node.platform, ...args, ...WHY);
      expect([code, err]).toEqual([2, expect.stringContaining(says)]);
    }
    const twice = [
      await sluiceOn(node.platform, 'pause', '--type', 'transfer', ...WHY),
      await sluiceOn(node.platform, 'pause', '--type', 'transfer', ...WHY),
    ];
    expect(twice.map(({ out }) => out.includes('already'))).toEqual([false, true]);
    expect(await node.platform.mongo.db.collection('pauses').countDocuments()).toBe(1);
  });
});
