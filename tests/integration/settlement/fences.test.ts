import type { CommandStartedEvent } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { FailpointName } from '../../../core/kernel/failpoint.ts';
import type { LedgerState } from '../../../core/ledger/book.ts';
import type { EntryDoc, WalletDoc } from '../../../core/ledger/documents.ts';
import { createLedgerStore } from '../../../core/ledger/ledger-store.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { batchReads, bindOperation, decideBatch } from '../../../core/settlement/decide.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
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
import { until } from '../../support/wait.ts';

const user = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });
const credit = (userId: string, amount = 5) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount });

async function prepare(node: Instance): Promise<void> {
  const setUp = await accept(node, [user('ann'), credit('ann'), user('bob')]);
  const settler = openSettler(node);
  pokeAll(settler);
  await settled(node, setUp);
  await settler.close();
}

/** Opens at the first pass of a failpoint and waits there until it is let go. */
function gateAt(name: FailpointName) {
  const gate: { isReached: boolean; open: () => void } = {
    isReached: false,
    open: () => undefined,
  };
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const failpoint = async (passed: FailpointName): Promise<void> => {
    if (passed !== name || gate.isReached) return;
    gate.isReached = true;
    await opened;
  };
  return { gate, failpoint };
}

/** What a payment reads, and what it changes of that. */
function payment(operation: OperationDoc) {
  const batch = [bindOperation(OPERATIONS, operation)];
  const onBug = (_operation: OperationDoc, error: unknown): void => {
    throw error;
  };
  return {
    reads: batchReads(batch, 0),
    changes: (loaded: LedgerState) =>
      decideBatch(batch, { loaded, at: new Date(), stripe: 0, onBug }).book.changes(),
  };
}

describe('the fences of a settlement transaction', () => {
  it('let an entry that is there already in no second time, and spare its neighbours', async () => {
    const { node } = await openWorld();
    await prepare(node);
    const entries = collection<EntryDoc>(node.platform.mongo.db, 'transactions');
    const operations = await accept(node, [credit('ann', 7), credit('bob', 1)]);
    const [first] = operations;
    const stray = await entries.findOne({ userId: 'ann' });
    if (first === undefined || stray === null) throw new Error('nothing to work with');
    // What a settlement that had forgotten its operation would have left behind.
    const forged = { ...stray, _id: `${first._id}.1`, operationId: first._id, seq: 99 };
    await entries.insertOne(forged);
    const settler = openSettler(node);
    pokeAll(settler);
    const done = await settled(node, operations);
    expect(outcomesOf(done)).toEqual(['needs_attention poison_operation', 'succeeded']);
    const wallets = collection<WalletDoc>(node.platform.mongo.db, 'wallets');
    expect((await wallets.findOne({ userId: 'ann' }))?.balance).toBe(5n);
    await entries.deleteOne({ _id: forged._id });
  });

  it('let nobody write a wallet that has moved since it was read', async () => {
    const { node } = await openWorld();
    await prepare(node);
    const { mongo } = node.platform;
    const ledger = createLedgerStore(mongo.client, mongo.db);
    const pay = (amount: number) =>
      submission('transfer', { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount });
    const [first, second, third] = (await accept(node, [pay(1), pay(2), pay(3)])).map((operation) =>
      payment(operation),
    );
    if (first === undefined || second === undefined || third === undefined) throw new Error('none');
    const old = await ledger.transact((transaction) => transaction.load(first.reads));
    await ledger.transact(async (transaction) =>
      transaction.write(second.changes(await transaction.load(second.reads))),
    );
    // Decided on what an earlier transaction has read: the number of its entry is taken.
    const late = ledger.transact((transaction) => transaction.write(first.changes(old)));
    await expect(late).rejects.toMatchObject({ code: 11_000 });
    // Moved by another transaction after the snapshot of this one.
    const crossed = ledger.transact(async (transaction) => {
      const loaded = await transaction.load(third.reads);
      await ledger.transact(async (other) =>
        other.write(first.changes(await other.load(first.reads))),
      );
      await transaction.write(third.changes(loaded));
    });
    await expect(crossed).rejects.toMatchObject({ code: 112 });
    const wallets = collection<WalletDoc>(mongo.db, 'wallets');
    expect(await wallets.findOne({ userId: 'ann' })).toMatchObject({ balance: 2n, seq: 3 });
  });

  it('are a majority snapshot, committed by a majority with the journal', async () => {
    const { node } = await openWorld({ monitor: true });
    const started: CommandStartedEvent[] = [];
    node.platform.mongo.client.on('commandStarted', (event) => started.push(event));
    await prepare(node);
    const begins = started.filter(({ command }) => command['startTransaction'] === true);
    expect(begins.length).toBeGreaterThan(0);
    for (const { command } of begins) {
      expect(command['readConcern']).toMatchObject({ level: 'snapshot' });
    }
    const commits = started.filter(({ commandName }) => commandName === 'commitTransaction');
    expect(commits.length).toBeGreaterThan(0);
    for (const { command } of commits) {
      expect(command['writeConcern']).toMatchObject({ w: 'majority', j: true });
    }
    const reads = started.filter(({ command }) => command['find'] === 'operations');
    for (const { command } of reads.filter(({ command }) => command['txnNumber'] === undefined)) {
      expect(command['readConcern']).toMatchObject({ level: 'majority' });
    }
    const inserts = started.filter(
      ({ command }) => command['insert'] === 'operations' && command['autocommit'] === undefined,
    );
    expect(inserts.length).toBeGreaterThan(0);
    for (const { command } of inserts) {
      expect(command['writeConcern']).toMatchObject({ w: 'majority', j: true });
    }
  });

  it('settle nothing of a batch when one of its operations was canceled meanwhile', async () => {
    const { node } = await openWorld();
    await prepare(node);
    const operations = await accept(node, [credit('ann', 7), credit('bob', 1)]);
    const [first] = operations;
    const { gate, failpoint } = gateAt('settle.before-transaction');
    pokeAll(openSettler(node, { failpoint }));
    await until(() => gate.isReached, 'the batch is read');
    const stored = collection<{ _id: string; status: string }>(
      node.platform.mongo.db,
      'operations',
    );
    await stored.updateOne({ _id: first?._id ?? '' }, { $set: { status: 'canceled' } });
    gate.open();
    expect(outcomesOf(await settled(node, operations))).toEqual(['canceled', 'succeeded']);
    await expectSoundLedger(node);
  });

  it('leave no wallet usable when its owner is blocked while it is being opened', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    await prepare(node);
    // Two lines of the client's own, so that two processes decide at the same time.
    const opening = submission(
      'wallet.open',
      { userId: 'ann', currency: 'USD' },
      { orderingKey: 'one' },
    );
    const blocking = submission(
      'user.update',
      { userId: 'ann', status: 'blocked' },
      { orderingKey: 'two' },
    );
    const [first] = await accept(node, [opening]);
    const { gate, failpoint } = gateAt('settle.in-transaction');
    openSettler(node, { failpoint }).wakeLane(first?.lane ?? 0);
    await until(() => gate.isReached, 'the opening is decided');
    const [second] = await accept(node, [blocking]);
    const slow = openSettler(other, { stripe: 1 });
    const blocked = slow.settle(second?.lane ?? 0, [second?._id ?? '']);
    const both = [first, second].flatMap((one) => one ?? []);
    await Promise.race([blocked, until(() => false, 'never', 2_000).catch(() => undefined)]);
    gate.open();
    await settled(node, both);
    const wallets = collection<WalletDoc>(node.platform.mongo.db, 'wallets');
    const found = await wallets.find({ userId: 'ann' }).toArray();
    expect(
      found.map(({ currency, ownerBlocked }) => `${currency} ${String(ownerBlocked)}`),
    ).toEqual(found.map(({ currency }) => `${currency} true`));
  });
});
