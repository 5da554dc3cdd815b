import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { EntryDoc, WalletDoc } from '../../../core/ledger/documents.ts';
import { createLedgerQueries } from '../../../core/ledger/ledger-reads-store.ts';
import { type Instance, accept, openWorld, settled, submission } from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';

const HOUR_MS = 3_600_000;

const credit = (amount: number) =>
  submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount });

async function openWallet(node: Instance) {
  await accept(node, [
    submission('user.create', { userId: 'ann', wallets: [{ currency: 'EUR' }] }),
    credit(1),
  ]);
  const { db } = node.platform.mongo;
  const wallets = collection<WalletDoc>(db, 'wallets');
  const entries = collection<EntryDoc>(db, 'transactions');
  const list = async () => {
    const wallet = await wallets.findOne({ userId: 'ann' });
    if (wallet === null) throw new Error('no wallet');
    return {
      wallet,
      entries: await entries.find({ walletId: wallet._id }).sort({ seq: 1 }).toArray(),
    };
  };
  return { db, entries, list };
}

describe('times by the clocks of two servers', () => {
  it('never run backwards along a wallet, and nothing ends before it was accepted or posted', async () => {
    const { node } = await openWorld();
    const { list } = await openWallet(node);
    const ahead = openSettler(node);
    // This process' primary is an hour behind the one by which these were accepted.
    const behind = openSettler({
      ...node,
      databaseTime: async () => {
        const { now } = await node.databaseTime();
        return { now: new Date(now.getTime() - HOUR_MS) };
      },
    });
    const first = await accept(node, [credit(2)]);
    pokeAll(ahead);
    await settled(node, first);
    const operations = await accept(node, [credit(4), credit(8)]);
    pokeAll(behind);
    const done = await settled(node, operations);
    expect(done).toHaveLength(2);
    const { entries } = await list();
    expect(entries).toHaveLength(4);
    const times = entries.map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const { createdAt, completedAt, _id } of done) {
      const posted = entries.find(({ operationId }) => operationId === _id);
      expect(completedAt?.getTime()).toBeGreaterThanOrEqual(createdAt.getTime());
      expect(completedAt?.getTime()).toBe(posted?.createdAt.getTime());
    }
  });

  it('that an older version has stored out of order lose no entry of a balance at a time', async () => {
    const { node } = await openWorld();
    const { db, entries, list } = await openWallet(node);
    const operations = await accept(node, [2, 4, 8, 16, 32, 64].map(credit));
    pokeAll(openSettler(node));
    await settled(node, operations);
    const { wallet, entries: stored } = await list();
    expect(stored).toHaveLength(7);
    const start = new Date('2026-01-01T00:00:00Z').getTime();
    const seconds = [10, 20, 5, 30, 8, 9, 40];
    for (const [index, second] of seconds.entries()) {
      const createdAt = new Date(start + second * 1_000);
      await entries.updateOne({ walletId: wallet._id, seq: index + 1 }, { $set: { createdAt } });
    }
    const queries = createLedgerQueries(db, { tenantId: wallet.tenantId, currencies: [] });
    const at = async (second: number) => {
      const found = await queries.balancesAt(wallet, new Date(start + second * 1_000));
      return [found.seq, Number(found.balances.real)];
    };
    // What stands behind an entry was not there before it.
    expect(await Promise.all([4, 7, 10, 15, 20, 25, 30, 39, 40].map(at))).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
      [3, 7],
      [3, 7],
      [6, 63],
      [6, 63],
      [7, 127],
    ]);
  });
});
