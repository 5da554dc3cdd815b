import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { HoldDoc, TransferDoc, WalletDoc } from '../../../core/ledger/documents.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import type { Submission } from '../../../core/ingest/submission.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';

const USERS = ['ann', 'bob', 'cyd', 'dan', 'eve'] as const;

async function fund(node: Instance, amount: number): Promise<void> {
  const setUp = await accept(
    node,
    USERS.flatMap((userId) => [
      submission('user.create', { userId, wallets: [{ currency: 'EUR' }] }),
      submission('wallet.credit', { userId, currency: 'EUR', amount }),
    ]),
  );
  const settler = openSettler(node);
  pokeAll(settler);
  await settled(node, setUp);
  await settler.close();
}

/** Two processes that read every lane at the same time, as when leases fail. */
async function settleByTwo(nodes: readonly Instance[], operations: readonly OperationDoc[]) {
  const settlers = nodes.map((node, stripe) => openSettler(node, { stripe }));
  for (const settler of settlers) pokeAll(settler);
  const jobs = settlers.flatMap((settler) =>
    operations.map(async ({ _id, lane }) => settler.settle(lane ?? 0, [_id])),
  );
  await Promise.all(jobs);
}

/** Every submission in a line of its own, so that nothing but the ledger keeps them apart. */
function inOwnLines(work: readonly Submission[]): readonly Submission[] {
  return work.map((one, index) => ({ ...one, orderingKey: `line-${index}` }));
}

async function walletTotal({ platform }: Instance): Promise<bigint> {
  const wallets = collection<WalletDoc>(platform.mongo.db, 'wallets');
  const users = await wallets.find({ userId: { $in: [...USERS] } }).toArray();
  return users.reduce((sum, wallet) => sum + wallet.balance, 0n);
}

const countOf = (outcomes: readonly string[], wanted: string): number =>
  outcomes.filter((outcome) => outcome === wanted).length;

describe('two settlers fighting over the same wallets without leases', () => {
  it('settle everything once, and lose or make no money', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await fund(node, 1_000);
    const work = Array.from({ length: 200 }, (_, index) =>
      submission('transfer', {
        fromUserId: USERS[index % 5],
        toUserId: USERS[(index + 1 + (index % 3)) % 5],
        currency: 'EUR',
        amount: 1 + (index % 7),
      }),
    );
    const operations = await accept(node, work);
    await settleByTwo([node, other], operations);
    const done = await settled(node, operations);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    expect(await walletTotal(node)).toBe(5_000n);
    await expectSoundLedger(node);
  });

  it('let exactly one of 20 reversals of a transfer succeed', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await fund(node, 100);
    const [transfer] = await accept(node, [
      submission('transfer', { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 60 }),
    ]);
    await settleByTwo([node, other], transfer === undefined ? [] : [transfer]);
    const transferId: TransferDoc['_id'] = `trf_${transfer?._id.slice(3) ?? ''}`;
    const work = Array.from({ length: 20 }, () => submission('transfer.reverse', { transferId }));
    const operations = await accept(node, inOwnLines(work));
    await settleByTwo([node, other], operations);
    const outcomes = outcomesOf(await settled(node, operations));
    expect(countOf(outcomes, 'succeeded')).toBe(1);
    expect(countOf(outcomes, 'rejected transfer_reversed')).toBe(19);
    const stored = await collection<TransferDoc>(node.platform.mongo.db, 'transfers').findOne({
      _id: transferId,
    });
    expect(stored).toMatchObject({ status: 'reversed', reversedAmount: 60n });
    await expectSoundLedger(node);
  });

  it('never reverse more than the transfer in parts', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await fund(node, 100);
    const [transfer] = await accept(node, [
      submission('transfer', { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 60 }),
    ]);
    await settleByTwo([node, other], transfer === undefined ? [] : [transfer]);
    const transferId = `trf_${transfer?._id.slice(3) ?? ''}`;
    const work = Array.from({ length: 12 }, () =>
      submission('transfer.reverse', { transferId, amount: 25 }),
    );
    const operations = await accept(node, inOwnLines(work));
    await settleByTwo([node, other], operations);
    const outcomes = outcomesOf(await settled(node, operations));
    expect(countOf(outcomes, 'succeeded')).toBe(2);
    await expectSoundLedger(node);
  });

  it('give every part of a hold to capture or to release, never to both', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await fund(node, 100);
    const [place] = await accept(node, [
      submission('hold.place', { userId: 'ann', currency: 'EUR', amount: 100 }),
    ]);
    await settleByTwo([node, other], place === undefined ? [] : [place]);
    const holdId: HoldDoc['_id'] = `hld_${place?._id.slice(3) ?? ''}`;
    const captures = Array.from({ length: 8 }, () =>
      submission('hold.capture', { holdId, amount: 10 }),
    );
    const releases = Array.from({ length: 4 }, () => submission('hold.release', { holdId }));
    const mixed = [...captures.slice(0, 4), ...releases, ...captures.slice(4)];
    const operations = await accept(node, inOwnLines(mixed));
    await settleByTwo([node, other], operations);
    const done = await settled(node, operations);
    const released = done.filter(
      (one) => one.type === 'hold.release' && one.status === 'succeeded',
    );
    const captured = done.filter(
      (one) => one.type === 'hold.capture' && one.status === 'succeeded',
    );
    expect(released).toHaveLength(1);
    const hold = await collection<HoldDoc>(node.platform.mongo.db, 'holds').findOne({
      _id: holdId,
    });
    expect(hold?.status).toBe('released');
    expect(hold?.captured).toBe(10n * BigInt(captured.length));
    expect((hold?.captured ?? 0n) + (hold?.released ?? 0n)).toBe(100n);
    await expectSoundLedger(node);
  });

  it('open a user or a wallet once, whoever comes first', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const users = Array.from({ length: 6 }, () => submission('user.create', { userId: 'zoe' }));
    const creations = await accept(node, inOwnLines(users));
    await settleByTwo([node, other], creations);
    expect(countOf(outcomesOf(await settled(node, creations)), 'succeeded')).toBe(1);
    const wallets = Array.from({ length: 6 }, () =>
      submission('wallet.open', { userId: 'zoe', currency: 'EUR' }),
    );
    const openings = await accept(node, inOwnLines(wallets));
    await settleByTwo([node, other], openings);
    const outcomes = outcomesOf(await settled(node, openings));
    expect(countOf(outcomes, 'succeeded')).toBe(1);
    expect(countOf(outcomes, 'rejected wallet_exists')).toBe(5);
  });
});
