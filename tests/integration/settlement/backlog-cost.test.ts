import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { storedLaneOf } from '../../../core/operations/lane-layout.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { createSettleStore } from '../../../core/operations/settle-store.ts';
import { explained } from '../../support/explain.ts';
import {
  type Instance,
  accept,
  openWorld,
  outcomesOf,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, userIn } from '../../support/settling.ts';
import { allOf } from '../../../core/kernel/every.ts';

const BACKLOG = 3_000;
/** Of what a look returns, and a little for its way there. */
const FEW = 20;

const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });

/** Copies of one operation, as many as a backlog has, in one line. */
async function pile(node: Instance, orderingKey: string): Promise<void> {
  const [one] = await accept(node, [credit(userIn('pile', (lane) => lane === 0))]);
  if (one === undefined) throw new Error('nothing was accepted');
  const copies = Array.from({ length: BACKLOG }, (_, index) => ({
    ...one,
    _id: newOperationId(),
    idempotencyKey: `${orderingKey}-${index}`,
    orderingKey,
    lane: storedLaneOf(orderingKey, LIMITS.lanes),
  }));
  await collection<OperationDoc>(node.platform.mongo.db, 'operations').insertMany(copies);
}

describe('whatever the backlog, the same is looked at', () => {
  it('to ask whether an unknown payee is still being created', async () => {
    const { node } = await openWorld({ monitor: true });
    await pile(node, 'default|u:hot');
    const { mongo } = node.platform;
    const store = createSettleStore(mongo.db);
    const lines = ['default|u:hot', 'default|u:nobody'];
    const looks = await explained(node, () =>
      mongo.client.withSession((session) => store.oldestOpen(session, lines)),
    );
    // Which layouts there are, twice, and a lane for each of the lines.
    const lanes = new Set(lines.map((line) => storedLaneOf(line, LIMITS.lanes)));
    expect(looks.map(({ what }) => what)).toEqual([
      ...['operations.find', 'operations.find'],
      ...[...lanes].map(() => 'operations.aggregate'),
    ]);
    const examined = looks.map(({ keysExamined, docsExamined }) => keysExamined + docsExamined);
    expect(Math.max(...examined)).toBeLessThan(FEW);
    expect(Math.max(...examined)).toBeGreaterThan(0);
  });

  it('to find work beside a line that cannot move', async () => {
    const { node } = await openWorld({ monitor: true });
    await pile(node, 'default|u:hot');
    await pile(node, 'default|u:hotter');
    const lines = ['default|u:hot', 'default|u:hotter'];
    const [look, ...more] = await explained(node, () =>
      node.store.openBesides([0, 1], { lines, after: '', limit: 10 }),
    );
    expect(more).toEqual([]);
    expect(look?.keysExamined).toBeGreaterThan(0);
    expect(look?.keysExamined).toBeLessThan(FEW);
    expect(look?.stages).not.toContain('SORT');
  });

  it('and every line beside one that cannot move gets its turn', async () => {
    const { node } = await openWorld();
    const users = ['b', 'c', 'd'].map((name) => userIn(name, (lane) => lane === 0));
    await accept(node, [...users, ...users].map(credit));
    const seen = new Set<string>();
    let after = '';
    for (let look = 0; look < users.length; look += 1) {
      const found = await node.store.openBesides([0], { lines: [], after, limit: 1 });
      after = found.at(-1)?.orderingKey ?? '';
      seen.add(after);
    }
    expect([...seen]).toEqual(users.map((userId) => `default|u:${userId}`));
    const around = await node.store.openBesides([0], { lines: [], after, limit: 4 });
    expect(around.map(({ orderingKey }) => orderingKey)[0]).toBe(`default|u:${users[0] ?? ''}`);
  });
});

describe('a lane of requests as large as they may be', () => {
  it('is looked at without their inputs, and settles', async () => {
    const { node } = await openWorld();
    const user = userIn('large', (lane) => lane === 0);
    const large = () =>
      submission('batch', {
        operations: Array.from({ length: 20 }, () => ({
          type: 'wallet.credit',
          input: { userId: user, currency: 'EUR', amount: 1, description: 'd'.repeat(500) },
        })),
      });
    const create = submission('user.create', { userId: user, wallets: [{ currency: 'EUR' }] });
    const operations = await accept(node, [create, large(), large(), credit(user)]);
    const rows = await node.store.openInLanes([0], 10);
    expect(rows.map(({ input }) => input !== undefined)).toEqual([true, false, false, true]);
    expect(rows[1]?.inputBytes).toBeGreaterThan(20 * 500);
    const whole = await node.store.whole(rows.map(({ _id }) => _id));
    expect(allOf([...whole.values()], ({ input }) => input !== undefined)).toBe(true);
    openSettler(node).wakeLane(0);
    const done = await settled(node, operations);
    expect(outcomesOf(done)).toEqual(Array(4).fill('succeeded'));
  });
});
