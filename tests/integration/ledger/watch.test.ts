import { describe, expect, it } from 'vitest';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { collection } from '../../../core/infra/collections.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { newToken, walletIdOf } from '../../../core/kernel/ids.ts';
import { createLedgerQueries } from '../../../core/ledger/ledger-reads-store.ts';
import { rebuildLedger } from '../../../core/ledger/rebuild/rebuild-store.ts';
import type { Drift } from '../../../core/ledger/watch/drift.ts';
import { createLedgerWatch } from '../../../core/ledger/watch/watch-store.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import type { OutboxRow } from '../../../core/events/outbox.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { rebuildRules } from '../../../core/operation-types/rebuild-rules.ts';
import { reportDrift } from '../../../core/recovery/report-drift.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';
import {
  type Instance,
  TENANT,
  accept,
  openWorld,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';

const rules = rebuildRules(OPERATIONS);

/** A watch that never rests, with what it found. */
function watchOf({ platform }: Instance, onDrift?: (drift: Drift) => Promise<void>) {
  const { db } = platform.mongo;
  const metrics = createMetrics();
  const found: Drift[] = [];
  const watch = createLedgerWatch({
    ...{ db, rules, metrics, clock: systemClock, owner: newToken() },
    ...{ leases: createLeaseStore(db), restFactor: 0, passMsMin: 0 },
    onDrift: async (drift) => {
      found.push(drift);
      await onDrift?.(drift);
    },
  });
  const passes = async () => (await metrics.ledgerPasses.get()).values[0]?.value ?? 0;
  return {
    ...watch,
    found,
    drift: async () => (await metrics.ledgerDrift.get()).values[0]?.value,
    checked: async () => (await metrics.ledgerWalletsChecked.get()).values[0]?.value ?? 0,
    /** The whole of a pass: what is left of the present one, and the next. */
    pass: async () => {
      const end = (await passes()) + 2;
      for (let turns = 0; (await passes()) < end; turns += 1) {
        if (turns > 1_000) throw new Error('the pass has no end');
        await watch.turn();
      }
    },
  };
}

async function openLedger(): Promise<Instance> {
  const { node } = await openWorld();
  const settler = openSettler(node);
  const eur = { currency: 'EUR' };
  for (const submissions of [
    ['ann', 'bob'].map((userId) => submission('user.create', { userId, wallets: [eur] })),
    [submission('wallet.credit', { userId: 'ann', ...eur, amount: '500' })],
    [submission('hold.place', { userId: 'ann', ...eur, amount: '50' })],
    [submission('transfer', { fromUserId: 'ann', toUserId: 'bob', ...eur, amount: '20' })],
  ]) {
    const operations = await accept(node, submissions);
    pokeAll(settler);
    await settled(node, operations);
  }
  return node;
}

const docs = (node: Instance, name: 'wallets' | 'holds' | 'transfers' | 'transactions') =>
  collection<{ _id: string; [field: string]: unknown }>(node.platform.mongo.db, name);

describe('the watch over the ledger', () => {
  it('finds each altered document within a pass, names it once, and says when it is mended', async () => {
    const node = await openLedger();
    const watch = watchOf(node);
    await watch.pass();
    expect(watch.found).toEqual([]);
    expect(await watch.drift()).toBe(0);
    expect(await watch.checked()).toBeGreaterThanOrEqual(4);
    const id = walletIdOf(TENANT, 'bob', 'EUR');
    for (const [name, change] of [
      ['wallets', { $set: { balance: 21n } }],
      ['holds', { $set: { status: 'released' } }],
      ['transfers', { $set: { fee: 1n } }],
    ] as const) {
      const filter = name === 'wallets' ? { _id: id } : {};
      await docs(node, name).updateOne(filter, change);
    }
    await watch.pass();
    await watch.pass();
    expect(watch.found.map(({ kind, detail }) => `${kind}: ${detail}`).sort()).toEqual([
      'holds: status "released", not "open"',
      'transfers: fee 1, not 0',
      'wallets: balance 21, not 20',
    ]);
    expect(watch.found.find(({ kind }) => kind === 'wallets')?.id).toBe(id);
    expect(await watch.drift()).toBe(3);
    await rebuildLedger(node.platform.mongo.db, { rules, apply: true });
    await watch.pass();
    expect(await watch.drift()).toBe(0);
  });

  it('is taken over by another process, which knows what was told', async () => {
    const node = await openLedger();
    const first = watchOf(node);
    await docs(node, 'wallets').updateOne({ userId: 'bob' }, { $set: { status: 'frozen' } });
    await first.pass();
    const second = watchOf(node);
    await second.turn();
    expect(await second.drift()).toBe(0);
    expect(await second.checked()).toBe(0);
    await first.close();
    await second.pass();
    expect(first.found).toHaveLength(1);
    expect(second.found).toEqual([]);
    expect(await second.drift()).toBe(1);
  });

  it('names an entry that is not what the next ones follow from', async () => {
    const node = await openLedger();
    const watch = watchOf(node);
    const walletId = walletIdOf(TENANT, 'ann', 'EUR');
    const first = { walletId, seq: 1 };
    const entry = await docs(node, 'transactions').findOne(first);
    await docs(node, 'transactions').updateOne(first, { $set: { amount: 501n } });
    await watch.pass();
    expect(watch.found.map(({ kind, id }) => `${kind} ${id}`)).toContain(`log ${entry?._id ?? ''}`);
  });

  it('by policy freezes the wallet through an operation, and tells the tenant', async () => {
    const node = await openLedger();
    const { mongo, logger } = node.platform;
    const outbox = createOutboxStore(mongo.db);
    const rows: OutboxRow[] = [];
    const deps = {
      ...{ logger, ingest: node.ingest, registry: OPERATIONS, databaseTime: node.databaseTime },
      policy: 'freeze' as const,
      tell: async (row: OutboxRow) => {
        rows.push(row);
        await mongo.client.withSession((session) => outbox.insert(session, [row]));
      },
      findWallet: (id: string) =>
        createLedgerQueries(mongo.db, { tenantId: TENANT, currencies: [] }).wallet(id),
    };
    const watch = watchOf(node, (drift) => reportDrift(deps, drift));
    const filter = { tenantId: TENANT, userId: 'bob' };
    await docs(node, 'wallets').updateOne(filter, { $set: { overdraftLimit: 9_999n } });
    await watch.pass();
    const operations = await collection<{ _id: `op_${string}` }>(mongo.db, 'operations')
      .find({ idempotencyKey: /ledger-drift/ })
      .toArray();
    expect(operations).toHaveLength(1);
    pokeAll(openSettler(node));
    await settled(node, operations);
    expect((await docs(node, 'wallets').findOne(filter))?.['status']).toBe('frozen');
    expect(rows.flatMap(({ events }) => events).map(({ name, data }) => [name, data])).toEqual([
      [
        'ledger.drift',
        {
          kind: 'wallets',
          id: walletIdOf(TENANT, 'bob', 'EUR'),
          detail: 'overdraftLimit 9999, not 0',
        },
      ],
    ]);
    // The freeze is an operation of the log: a rebuild mends the limit, and keeps it.
    await rebuildLedger(mongo.db, { rules, apply: true });
    const wallet = await docs(node, 'wallets').findOne(filter);
    expect(wallet).toMatchObject({ status: 'frozen', overdraftLimit: 0n });
  });
});
