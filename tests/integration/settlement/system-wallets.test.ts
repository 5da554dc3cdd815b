import { describe, expect, it } from 'vitest';
import { Long } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { TRANSACTION } from '../../../core/infra/mongo.ts';
import { type WalletDoc, systemUserId } from '../../../core/ledger/documents.ts';
import { createLedgerQueries } from '../../../core/ledger/ledger-reads-store.ts';
import { openWallet } from '../../../core/ledger/wallet.ts';
import {
  TENANT,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const EUR = { currency: 'EUR' };
const LARGEST = LIMITS.amountMinorMax.toString();
const tenant = { tenantId: TENANT, currencies: [] };
/** Several answers of the server, and enough readings to meet a movement. */
const MANY = 600;
const READINGS = 60;
const INTO = { $inc: { balance: Long.fromNumber(1) } } as const;
const OUT_OF = { $inc: { balance: Long.fromNumber(-1) } } as const;
const PAYEES = ['u0', 'u1', 'u2'];

/** As many of the largest amount as a request holds. */
const flood = () =>
  submission('batch', {
    operations: Array.from({ length: LIMITS.batchItemsMax }, (_, index) => ({
      type: 'wallet.credit',
      input: { userId: PAYEES[index % PAYEES.length], ...EUR, amount: LARGEST },
    })),
  });

describe('a system wallet', () => {
  it('sets no limit on what a tenant pays in: more than one number holds settles, to the unit', async () => {
    const { node } = await openWorld();
    const users = PAYEES.map((userId) => submission('user.create', { userId, wallets: [EUR] }));
    const created = await accept(node, users);
    const settler = openSettler(node);
    pokeAll(settler);
    await settled(node, created);
    // Five times 10^18, of which a balance holds four.
    const credits = await accept(node, Array.from({ length: 5 }, flood));
    pokeAll(settler);
    const done = await settled(node, credits, 60_000);
    expect(outcomesOf(done)).toEqual(Array(5).fill('succeeded'));
    const last = await accept(node, [
      submission('wallet.credit', { userId: 'u0', ...EUR, amount: 1 }),
    ]);
    pokeAll(settler);
    expect(outcomesOf(await settled(node, last))).toEqual(['succeeded']);

    const { db } = node.platform.mongo;
    const wallets = await collection<WalletDoc>(db, 'wallets').find({ tenantId: TENANT }).toArray();
    const stripes = wallets.filter(({ userId }) => userId.startsWith('sys:world#'));
    expect(stripes.length).toBeGreaterThan(1);
    const sums = await createLedgerQueries(db, tenant).systemWallets();
    expect(sums.find(({ name }) => name === 'world')?.balance).toBe(-5n * 10n ** 18n - 1n);
    await expectSoundLedger(node);
  });

  it('is read in one snapshot: its stripes add up while money moves between them', async () => {
    const { node } = await openWorld();
    const { db, client } = node.platform.mongo;
    const wallets = collection<WalletDoc>(db, 'wallets');
    const at = new Date();
    const stripes = Array.from({ length: MANY }, (_, stripe) =>
      openWallet({
        ...{ tenantId: TENANT, currency: 'EUR', overdraftLimit: 0n, ownerBlocked: false, at },
        userId: systemUserId('clearing', stripe),
      }),
    );
    await wallets.insertMany(stripes);
    const [first, last] = [stripes[0], stripes.at(-1)];
    let isReading = true;
    const move = async (): Promise<void> => {
      while (isReading) {
        await client.withSession((session) =>
          session.withTransaction(async () => {
            await wallets.updateOne({ _id: first?._id ?? 'wal_' }, INTO, { session });
            await wallets.updateOne({ _id: last?._id ?? 'wal_' }, OUT_OF, { session });
          }, TRANSACTION),
        );
      }
    };
    const moving = move();
    const queries = createLedgerQueries(db, tenant);
    await until(async () => {
      const wallet = await queries.wallet(first?._id ?? '');
      return (wallet?.balance ?? 0n) > 0n;
    }, 'money moves');
    const sums = new Set<string>();
    for (let reading = 0; reading < READINGS; reading += 1) {
      for (const { balance } of await queries.systemWallets()) sums.add(balance.toString());
    }
    isReading = false;
    await moving;
    expect([...sums]).toEqual(['0']);
  });
});
