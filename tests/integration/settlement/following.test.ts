import { describe, expect, it } from 'vitest';
import { allOf } from '../../../core/kernel/every.ts';
import type { Failpoint } from '../../../core/kernel/failpoint.ts';
import { timeKeyOf } from '../../../core/kernel/time-order.ts';
import type { EntryDoc } from '../../../core/ledger/documents.ts';
import { explained } from '../../support/explain.ts';
import {
  type LedgerQueries,
  createLedgerQueries,
} from '../../../core/ledger/ledger-reads-store.ts';
import {
  type Instance,
  TENANT,
  accept,
  openWorld,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const WITHIN_MS = 6_000;
const tenant = { tenantId: TENANT, currencies: [] };

const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });

/** Reads on from where it stopped, as a client with a cursor does. */
function follower(queries: LedgerQueries) {
  const seen: EntryDoc[] = [];
  return {
    seen,
    read: async () => {
      const last = seen.at(-1);
      const after = last === undefined ? {} : { after: timeKeyOf(last) };
      seen.push(...(await queries.entries({}, { order: 'asc', limit: 3, ...after })));
    },
  };
}

/** Holds one transaction open, from its stamp to the release. */
function gate() {
  let isArmed = false;
  let isHeld = false;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const failpoint: Failpoint = async (name) => {
    if (name !== 'settle.before-commit' || !isArmed) return;
    isHeld = true;
    await opened;
  };
  return {
    failpoint,
    arm: () => {
      isArmed = true;
    },
    isHeld: () => isHeld,
    open: () => {
      open();
    },
  };
}

async function prepare(node: Instance) {
  const wallets = [{ currency: 'EUR' }];
  const users = ['ann', 'bob'].map((userId) => submission('user.create', { userId, wallets }));
  const settler = openSettler(node);
  const operations = await accept(node, users);
  pokeAll(settler);
  await settled(node, operations);
}

/** A transaction of ann's is under way while one of bob's, begun later, is committed and read. */
async function overtake(node: Instance, reader: ReturnType<typeof follower>) {
  const startedMs = performance.now();
  const slow = gate();
  const first = openSettler(node, { failpoint: slow.failpoint });
  const [late] = await accept(node, [credit('ann')]);
  slow.arm();
  pokeAll(first);
  await until(slow.isHeld, 'a transaction is under way');
  const early = await accept(node, [credit('bob')]);
  const second = openSettler(node, { stripe: 1 });
  pokeAll(second);
  await settled(node, early);
  await reader.read();
  const tookMs = performance.now() - startedMs;
  slow.open();
  if (late === undefined) throw new Error('nothing was accepted');
  await settled(node, [late]);
  return { tookMs, ids: [late._id, ...early.map(({ _id }) => _id)] };
}

describe('a reader who goes on from the last entry', () => {
  it('misses none of a transaction that commits after one that began later', async () => {
    const { node } = await openWorld();
    await prepare(node);
    const { db } = node.platform.mongo;
    const reader = follower(createLedgerQueries(db, tenant, { settledWithinMs: WITHIN_MS }));
    let made = await overtake(node, reader);
    // On a machine that slow the reader may go by it, as it may by a transaction that never ends.
    for (let tries = 1; made.tookMs > WITHIN_MS && tries < 5; tries += 1) {
      made = await overtake(node, reader);
    }
    expect(made.tookMs).toBeLessThan(WITHIN_MS);
    const has = (id: string): boolean => reader.seen.some((entry) => entry.operationId === id);
    await until(
      async () => {
        await node.platform.clock.sleep(100);
        // What has been written last is how far the server knows the time.
        await db.collection('leases').updateOne({}, { $set: { looks: 1 } }, { upsert: true });
        await reader.read();
        return allOf(made.ids, has);
      },
      () => `of ${made.ids.join()} seen: ${reader.seen.map(({ _id }) => _id).join()}`,
      4 * WITHIN_MS,
    );
    const times = reader.seen.map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }, 60_000);
});

describe('a page behind a cursor', () => {
  it('is read from an index in its order, of either side of transfers too', async () => {
    const { node } = await openWorld({ monitor: true });
    await prepare(node);
    const settler = openSettler(node);
    const pay = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 };
    const paid = await accept(node, [
      ...Array.from({ length: 5 }, () => credit('ann')),
      ...Array.from({ length: 5 }, () => submission('transfer', pay)),
    ]);
    pokeAll(settler);
    await settled(node, paid);
    const queries = createLedgerQueries(node.platform.mongo.db, tenant, { settledWithinMs: 0 });
    const [first] = await queries.transfers({}, { limit: 1 });
    if (first === undefined) throw new Error('no transfer');
    const after = timeKeyOf(first);
    const looks = await explained(node, async () => {
      for (const order of ['asc', 'desc'] as const) {
        await queries.transfers({ userId: 'ann' }, { limit: 2, order, after });
        await queries.transfers({}, { limit: 2, order, after });
        await queries.entries({}, { limit: 2, order, after });
        await queries.holds({ userId: 'ann' }, { limit: 2, order, after });
      }
    });
    const lists = looks.filter(({ what }) => what.endsWith('.find'));
    expect(lists).toHaveLength(8);
    for (const { what, stages, keysExamined } of lists) {
      expect({ what, isSorted: stages.includes('SORT') }).toEqual({ what, isSorted: false });
      expect(stages).not.toContain('COLLSCAN');
      expect(keysExamined).toBeLessThan(12);
    }
  });
});
