import type { CommandStartedEvent, MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { walletIdOf } from '../../../core/kernel/ids.ts';
import type { WalletDoc } from '../../../core/ledger/documents.ts';
import { createLedgerPoints } from '../../../core/ledger/ledger-points-store.ts';
import { createOperationPoints } from '../../../core/operations/operation-points-store.ts';
import { openWallet } from '../../../core/ledger/wallet.ts';
import { TENANT, accept, openWorld, submission } from '../../support/platform.ts';

const OTHER = 'another';

function walletOf(tenantId: string, userId: string, currency = 'EUR'): WalletDoc {
  const at = new Date();
  return openWallet({ tenantId, userId, currency, overdraftLimit: 0n, ownerBlocked: false, at });
}

/** The finds that are sent to a collection meanwhile. */
async function findsOf<T>(client: MongoClient, name: string, work: () => Promise<T>) {
  const sent: CommandStartedEvent[] = [];
  const note = (event: CommandStartedEvent): void => {
    if (event.command['find'] === name) sent.push(event);
  };
  client.on('commandStarted', note);
  const result = await work();
  client.off('commandStarted', note);
  return { result, finds: sent.length };
}

describe('look-ups that come at the same time', () => {
  it('are one query, in which each tenant finds its own', async () => {
    const { node } = await openWorld({ monitor: true });
    const { client, db } = node.platform.mongo;
    const users = Array.from({ length: 32 }, (_, index) => `user-${index}`);
    const docs = [TENANT, OTHER].flatMap((tenantId) =>
      users.flatMap((userId) => ['EUR', 'USD'].map((one) => walletOf(tenantId, userId, one))),
    );
    await collection<WalletDoc>(db, 'wallets').insertMany(docs);
    const points = createLedgerPoints(db);

    const ids = users.map((userId) => walletIdOf(TENANT, userId, 'EUR'));
    const mine = await findsOf(client, 'wallets', () =>
      Promise.all([...ids, ...ids].map((id) => points.wallets.read({ tenantId: TENANT, id }))),
    );
    expect(mine.finds).toBe(1);
    expect(mine.result.map((wallet) => wallet?._id)).toEqual([...ids, ...ids]);

    // The other tenant asks for this one's wallets in the same moment, and for its own.
    const own = walletIdOf(OTHER, 'user-0', 'EUR');
    const mixed = await findsOf(client, 'wallets', () =>
      Promise.all([
        points.wallets.read({ tenantId: TENANT, id: ids[0] ?? '' }),
        points.wallets.read({ tenantId: OTHER, id: ids[0] ?? '' }),
        points.wallets.read({ tenantId: OTHER, id: own }),
        points.wallets.read({ tenantId: TENANT, id: own }),
      ]),
    );
    expect(mixed.finds).toBe(1);
    expect(mixed.result.map((wallet) => wallet?._id)).toEqual([ids[0], undefined, own, undefined]);

    const all = await findsOf(client, 'wallets', () =>
      Promise.all([
        points.walletsOfUsers.read({ tenantId: TENANT, id: 'user-1' }),
        points.walletsOfUsers.read({ tenantId: OTHER, id: 'user-1' }),
        points.walletsOfUsers.read({ tenantId: TENANT, id: 'user-2' }),
        points.walletsOfUsers.read({ tenantId: OTHER, id: 'nobody' }),
      ]),
    );
    expect(all.finds).toBe(1);
    const shown = all.result.map((wallets) =>
      wallets?.map(({ tenantId, userId, currency }) => `${tenantId}/${userId}/${currency}`),
    );
    expect(shown).toEqual([
      [`${TENANT}/user-1/EUR`, `${TENANT}/user-1/USD`],
      [`${OTHER}/user-1/EUR`, `${OTHER}/user-1/USD`],
      [`${TENANT}/user-2/EUR`, `${TENANT}/user-2/USD`],
      undefined,
    ]);
  });

  it('of operations are one query as well', async () => {
    const { node } = await openWorld({ monitor: true });
    const { client, db } = node.platform.mongo;
    const stored = await accept(
      node,
      Array.from({ length: 20 }, (_, index) =>
        submission('user.create', { userId: `user-${index}` }),
      ),
    );
    const points = createOperationPoints(db);
    const { result, finds } = await findsOf(client, 'operations', () =>
      Promise.all([
        ...stored.map(({ _id: id }) => points.read({ tenantId: TENANT, id })),
        points.read({ tenantId: OTHER, id: stored[0]?._id ?? '' }),
      ]),
    );
    expect(finds).toBe(1);
    expect(result.map((one) => one?._id)).toEqual([...stored.map(({ _id }) => _id), undefined]);
  });
});
