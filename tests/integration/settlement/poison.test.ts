import { MongoBulkWriteError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { type Registry, defineOperation } from '../../../core/operations/define.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import {
  type Instance,
  accept,
  context,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { bulkError, poolExhausted } from '../../support/bulk-errors.ts';
import { openSettler, pokeAll, userIn } from '../../support/settling.ts';

const anything = { version: 1, mode: 'atomic', summary: 'for tests', input: z.any() } as const;

const throwing = defineOperation<unknown>({
  ...anything,
  type: 'test.throws',
  ordering: () => ({ user: 'ann' }),
  touches: () => ({}),
  decide: () => {
    throw new Error('a bug in a decision');
  },
});
/** Its schema has changed since old ones were stored, and now it stumbles over them. */
const stumbling = defineOperation<unknown>({
  ...anything,
  type: 'test.stumbles',
  ordering: () => ({ user: 'ann' }),
  touches: () => {
    throw new Error('a bug in what it touches');
  },
  decide: () => {
    throw new Error('never reached');
  },
});
/** Credits more than it debits. */
const conjuring = defineOperation<unknown>({
  ...anything,
  type: 'test.conjures',
  ordering: () => ({ user: 'ann' }),
  touches: () => ({ wallets: [{ userId: 'ann', currency: 'EUR' }] }),
  decide: (draft) => {
    const wallet = draft.wallet('ann', 'EUR');
    if (wallet === undefined) throw new Error('no wallet');
    draft.putWallet({ ...wallet, balance: wallet.balance + 1_000n });
    return { ok: true, value: undefined };
  },
});

const REGISTRY: Registry = {
  ...OPERATIONS,
  [throwing.type]: throwing,
  [stumbling.type]: stumbling,
  [conjuring.type]: conjuring,
};

const users = (): readonly ReturnType<typeof submission>[] =>
  ['ann', 'bob'].flatMap((userId) => [
    submission('user.create', { userId, wallets: [{ currency: 'EUR' }] }),
    submission('wallet.credit', { userId, currency: 'EUR', amount: 50 }),
  ]);

const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });

/** Accepted as an operation of ours, then given the type under test, as an older process stored it. */
async function acceptAs(
  node: Instance,
  fields: Partial<OperationDoc>,
  submissions = [credit('ann')],
): Promise<readonly OperationDoc[]> {
  const operations = await accept(node, submissions);
  const ids = operations.map(({ _id }) => _id);
  await collection<OperationDoc>(node.platform.mongo.db, 'operations').updateMany(
    { _id: { $in: ids } },
    { $set: fields },
  );
  return operations;
}

interface Told {
  readonly id: string;
  readonly name: string;
}

/** What the outbox has told of an operation, published or not. */
async function toldOf({ platform }: Instance, id: string): Promise<readonly Told[]> {
  const rows = await platform.mongo.db
    .collection<{ events: readonly (Told & { operationId: string })[] }>('outbox')
    .find({ 'events.operationId': id })
    .toArray();
  return rows.flatMap(({ events }) => events).filter(({ operationId }) => operationId === id);
}

async function settleSome(node: Instance, fields: Partial<OperationDoc>) {
  const before = await accept(node, users());
  const poison = await acceptAs(node, fields);
  const after = await accept(node, [credit('ann'), credit('bob')]);
  const settler = openSettler(node, { registry: REGISTRY });
  pokeAll(settler);
  return { before, poison, after, settler };
}

/** What a human does who has found and mended the reason. */
async function setBack(node: Instance, parked: OperationDoc | undefined): Promise<void> {
  await collection<OperationDoc>(node.platform.mongo.db, 'operations').updateOne(
    { _id: parked?._id ?? 'op_0', status: 'needs_attention' },
    {
      $set: { status: 'accepted', type: 'wallet.credit', nextCheckAt: new Date() },
      $unset: { error: 1 },
    },
  );
}

describe('a parking of an operation', () => {
  it.each([throwing.type, conjuring.type])(
    'is told each time under an id of its own, and so is what comes of it later: %s',
    async (type) => {
      const { node } = await openWorld();
      await settled(
        node,
        await accept(node, users()).then((all) => (pokeAll(openSettler(node)), all)),
      );
      const [poison] = await acceptAs(node, { type });
      const id = poison?._id ?? '';
      const settler = openSettler(node, { registry: REGISTRY });
      const operations = collection<OperationDoc>(node.platform.mongo.db, 'operations');
      for (const times of [1, 2]) {
        pokeAll(settler);
        await settled(node, poison === undefined ? [] : [poison]);
        expect(await toldOf(node, id)).toHaveLength(times);
        const [parked] = await readOperations(node, poison === undefined ? [] : [poison]);
        expect(parked).toMatchObject({ status: 'needs_attention' });
        expect(parked?.parkings).toHaveLength(times);
        // As a retry by hand does.
        await operations.updateOne(
          { _id: parked?._id ?? 'op_0' },
          { $set: { status: 'accepted' }, $unset: { error: 1 }, $inc: { epoch: 1 } },
        );
      }
      await operations.updateOne(
        { _id: poison?._id ?? 'op_0' },
        { $set: { type: 'wallet.credit' } },
      );
      pokeAll(settler);
      await settled(node, poison === undefined ? [] : [poison]);
      const told = await toldOf(node, id);
      expect(told.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['operation.needs_attention', 'operation.succeeded']),
      );
      expect(new Set(told.map((one) => one.id)).size).toBe(told.length);
    },
  );
});

describe('a poison operation', () => {
  it('whose decision throws ends with a human, and its neighbours settle in the same batch', async () => {
    const { node } = await openWorld();
    const { before, poison, after } = await settleSome(node, { type: 'test.throws' });
    const done = await settled(node, [...before, ...after]);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    const [parked] = await settled(node, poison);
    expect(outcomesOf(parked === undefined ? [] : [parked])).toEqual([
      'needs_attention poison_operation',
    ]);
    expect(parked?.nextCheckAt).toBeUndefined();
    expect(parked?.completedAt).toBeUndefined();
    await expectSoundLedger(node);
  });

  it('that would conjure money ends with a human after a few tries, alone', async () => {
    const { node } = await openWorld();
    const { before, poison, after } = await settleSome(node, { type: 'test.conjures' });
    const done = await settled(node, [...before, ...after]);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    expect(outcomesOf(await settled(node, poison))).toEqual(['needs_attention poison_operation']);
    await expectSoundLedger(node);
  });

  it('that stumbles over its own input holds up its own line and no other', async () => {
    const { node } = await openWorld();
    const { before, poison, after } = await settleSome(node, { type: 'test.stumbles' });
    const [, bobs] = after;
    const done = await settled(node, [...before, ...(bobs === undefined ? [] : [bobs])]);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    expect(outcomesOf(await readOperations(node, poison))).toEqual(['accepted']);
  });

  it('is settled when a human sets it back and its job is delivered again', async () => {
    const { node } = await openWorld();
    const { poison, settler } = await settleSome(node, { type: 'test.throws' });
    const [parked] = await settled(node, poison);
    await setBack(node, parked);
    await settler.settle(parked?.lane ?? 0, [parked?._id ?? '']);
    expect(outcomesOf(await settled(node, poison, 3_000))).toEqual(['succeeded']);
  });
});

describe('an operation that another process has parked', () => {
  it('is settled here once a human has set it back, although its job was answered here', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const { poison, settler } = await settleSome(other, { type: 'test.throws' });
    const [parked] = await settled(node, poison);
    await settler.close();
    const here = openSettler(node, { stripe: 1 });
    await here.settle(parked?.lane ?? 0, [parked?._id ?? '']);
    await setBack(node, parked);
    await here.settle(parked?.lane ?? 0, [parked?._id ?? '']);
    expect(outcomesOf(await settled(node, poison, 5_000))).toEqual(['succeeded']);
  });
});

describe('an operation of a type or version that this code does not know', () => {
  it('waits in its line for a newer worker; other lines go on', async () => {
    const { node } = await openWorld();
    const { before, poison, after, settler } = await settleSome(node, { typeVersion: 2 });
    const [anns, bobs] = after as [OperationDoc, OperationDoc];
    await settled(node, [...before, bobs]);
    expect(outcomesOf(await readOperations(node, [...poison, anns]))).toEqual([
      ...['accepted', 'accepted'],
    ]);
    await settler.close();
    const newer = {
      ...OPERATIONS,
      'wallet.credit': { ...OPERATIONS['wallet.credit'], version: 2 },
    };
    const operations = collection<OperationDoc>(node.platform.mongo.db, 'operations');
    await operations.updateOne({ _id: anns._id }, { $set: { typeVersion: 2 } });
    pokeAll(openSettler(node, { registry: newer }));
    expect(outcomesOf(await settled(node, [...poison, anns]))).toEqual(['succeeded', 'succeeded']);
  });

  it('starves no other line of its lane, however many stand behind it', async () => {
    const { node } = await openWorld();
    const hot = userIn('hot', (lane) => lane === 0);
    const quiet = userIn('quiet', (lane) => lane === 0);
    const wallets = [{ currency: 'EUR' }];
    const before = await accept(
      node,
      [hot, quiet].map((userId) => submission('user.create', { userId, wallets })),
    );
    const settler = openSettler(node);
    settler.wakeLane(0);
    await settled(node, before);
    await acceptAs(node, { type: 'test.unknown' }, [credit(hot)]);
    const behind = LIMITS.settlementBatchMax + 50;
    const crowd = Array.from({ length: behind }, () => credit(hot));
    await node.ingest.submit(crowd, context());
    const quiets = await accept(node, [credit(quiet)]);
    settler.wakeLane(0);
    expect(outcomesOf(await settled(node, quiets, 8_000))).toEqual(['succeeded']);
  });
});

describe('a database that fails for a while', () => {
  it.each([
    ['a pool without a free connection', 6, poolExhausted],
    ['the same in the wrapper of a bulk write', 6, () => wrapped(poolExhausted())],
    [
      'a primary that is gone, as our own layer tells it',
      6,
      () => new AppError('ledger_unavailable', 'x'),
    ],
    ['a full disk', 18, () => new MongoServerError({ message: 'x', code: 14_031 })],
  ])(
    'puts no operation before a human, however often it fails: %s',
    async (_what, times, errorOf) => {
      const { node } = await openWorld();
      const operations = await accept(node, users().slice(0, 1));
      let failures = 0;
      const settler = openSettler(node, {
        failpoint: (name) => {
          if (name !== 'settle.in-transaction' || failures >= times) return;
          failures += 1;
          throw errorOf();
        },
      });
      pokeAll(settler);
      const done = await settled(node, operations, 60_000);
      expect(outcomesOf(done)).toEqual(operations.map(() => 'succeeded'));
      expect(failures).toBe(times);
    },
  );
});

const wrapped = (error: Error) => new MongoBulkWriteError(error, bulkError([]).result);
