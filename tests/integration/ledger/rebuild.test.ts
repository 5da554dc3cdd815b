import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { walletIdOf } from '../../../core/kernel/ids.ts';
import type { EntryDoc } from '../../../core/ledger/documents.ts';
import { type RebuildOptions, rebuildLedger } from '../../../core/ledger/rebuild/rebuild-store.ts';
import { rebuildRules } from '../../../core/operation-types/rebuild-rules.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { verifyLedger } from '../../../core/ledger/verify/verify-store.ts';
import { ledgerRules } from '../../../core/operation-types/ledger-rules.ts';
import { bytesOf, liveThrough } from '../../support/ledger-history.ts';
import { type Arena, openArena } from '../../support/saga-arena.ts';

const KINDS = ['wallets', 'transfers', 'holds'] as const;
const rules = rebuildRules(OPERATIONS);

let arena: Arena;
let before: ReadonlyMap<string, string>;

beforeAll(async () => {
  arena = await openArena();
  await liveThrough(arena);
  before = await bytesOf(arena);
}, 60_000);
afterAll(() => arena.close());

function rebuild(options: Partial<RebuildOptions> = {}) {
  return rebuildLedger(arena.mongo.db, { rules, ...options });
}

const docs = (name: (typeof KINDS)[number] | 'transactions') =>
  collection<{ _id: string; [field: string]: unknown }>(arena.mongo.db, name);

async function dropAll(): Promise<void> {
  for (const name of KINDS) await docs(name).deleteMany({});
}

const plus = (field: string, by: bigint) => ({ $set: { [field]: { $add: [`$${field}`, by] } } });

describe('a rebuild of the ledger', () => {
  beforeEach(async () => {
    await rebuild({ apply: true, restart: true });
    expect(await bytesOf(arena)).toEqual(before);
  });

  it('finds nothing to mend in a ledger of every type of operation', async () => {
    const report = await rebuild({ keepMax: 100 });
    expect(report.differences).toEqual([]);
    expect(report).toMatchObject({ isWhole: true, applied: false, unexplained: 0, damaged: 0 });
    expect(report.checked.wallets).toBe([...before.keys()].filter((id) => id[0] === 'w').length);
    expect(report.checked.holds).toBe([...before.keys()].filter((id) => id[0] === 'h').length);
    const statusesOf = async (name: (typeof KINDS)[number]) =>
      new Set(await docs(name).distinct('status'));
    expect(await statusesOf('holds')).toEqual(new Set(['captured', 'expired', 'open', 'released']));
    expect(await statusesOf('transfers')).toEqual(
      new Set(['partially_reversed', 'reversed', 'settled']),
    );
    expect(await statusesOf('wallets')).toEqual(new Set(['active', 'closed', 'frozen']));
  });

  it('puts back what was dropped, byte for byte, and says only what it would do without apply', async () => {
    await dropAll();
    const dry = await rebuild();
    expect(dry.isWhole).toBe(false);
    expect(await docs('wallets').countDocuments()).toBe(0);
    const report = await rebuild({ apply: true });
    expect(report).toMatchObject({ isWhole: true, applied: true });
    expect(report.written).toEqual(dry.differing);
    expect(await bytesOf(arena)).toEqual(before);
    const { violations } = await verifyLedger(arena.mongo.db, { rules: ledgerRules(OPERATIONS) });
    expect(violations).toEqual([]);
  });

  it('mends single fields, each named with what is stored and what the log says', async () => {
    const id = walletIdOf('default', 'ann', 'EUR');
    await docs('wallets').updateOne({ _id: id }, [
      plus('balance', 1n),
      { $set: { status: 'frozen' } },
    ]);
    await docs('holds').updateOne(
      { status: 'expired' },
      { $set: { status: 'open', released: 0n } },
    );
    await docs('transfers').updateOne({ status: 'reversed' }, { $set: { reversedAmount: 0n } });
    const dry = await rebuild();
    const named = dry.differences.find((one) => one.id === id);
    expect(named?.fields?.map(({ field }) => field).sort()).toEqual(['balance', 'status']);
    expect(dry.differing).toEqual({ wallets: 1, holds: 1, transfers: 1 });
    await rebuild({ apply: true });
    expect(await bytesOf(arena)).toEqual(before);
  });

  it('of one wallet or one tenant leaves the others alone', async () => {
    await dropAll();
    const id = walletIdOf('default', 'ann', 'EUR');
    const one = await rebuild({ walletId: id, apply: true });
    expect(one.written.wallets).toBe(1);
    expect(await docs('wallets').distinct('_id')).toEqual([id]);
    expect(await docs('holds').countDocuments({ userId: { $ne: 'ann' } })).toBe(0);
    const tenant = await rebuild({ tenantId: 'second', apply: true });
    expect(tenant.written).toEqual({ wallets: 4, holds: 0, transfers: 0 });
    await expect(rebuild({ walletId: 'wal_nobody' })).rejects.toThrow('wallet_not_found');
  });

  it('that is killed half-way is taken up again and ends the same', async () => {
    await dropAll();
    let writes = 0;
    const failpoint = (): void => {
      writes += 1;
      if (writes === 5) throw new Error('killed');
    };
    await expect(rebuild({ apply: true, failpoint })).rejects.toThrow('killed');
    const resumed: string[] = [];
    const report = await rebuild({
      apply: true,
      onResume: ({ tenantId, afterUser }) => resumed.push(`${tenantId}/${afterUser}`),
    });
    expect(resumed).toHaveLength(1);
    expect(report.isWhole).toBe(true);
    expect(await bytesOf(arena)).toEqual(before);
  });

  it('makes nothing of a log that contradicts itself, and says where', async () => {
    const id = walletIdOf('default', 'ann', 'EUR');
    const entries = collection<EntryDoc>(arena.mongo.db, 'transactions');
    const entry = await entries.findOne({ walletId: id, seq: 3 });
    await docs('transactions').updateOne({ _id: entry?._id ?? '' }, [plus('amount', 1n)]);
    await docs('wallets').updateOne({ _id: id }, [plus('balance', 5n)]);
    const report = await rebuild({ apply: true });
    await docs('transactions').updateOne({ _id: entry?._id ?? '' }, [plus('amount', -1n)]);
    expect(report).toMatchObject({ isWhole: false, damaged: 1 });
    expect(report.damage.map((one) => one.id)).toContain(entry?._id);
    expect(report.written.wallets).toBe(0);
  });

  it('writes nothing over what settlement has moved since it was read', async () => {
    const id = walletIdOf('default', 'ann', 'EUR');
    await docs('wallets').updateOne({ _id: id }, [
      plus('totalDebited', 9n),
      plus('totalCredited', 9n),
    ]);
    const pay = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: '1' };
    let hasPaid = false;
    const failpoint = async (): Promise<void> => {
      if (!hasPaid) await arena.submit('transfer', pay);
      hasPaid = true;
    };
    const report = await rebuild({ apply: true, failpoint });
    expect(report.isWhole).toBe(true);
    const { violations } = await verifyLedger(arena.mongo.db, { rules: ledgerRules(OPERATIONS) });
    expect(violations).toEqual([]);
    before = await bytesOf(arena);
  });

  it('writes nothing over what settlement moves meanwhile, and is whole in the end', async () => {
    for (const userId of ['ann', 'bob']) {
      const id = walletIdOf('default', userId, 'EUR');
      await docs('wallets').updateOne({ _id: id }, [plus('overdraftLimit', 1n)]);
    }
    const pay = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: '1' };
    let isDone = false;
    const paying = (async () => {
      while (!isDone) await arena.submit('transfer', pay);
    })();
    const reports = [];
    for (let round = 0; round < 5; round += 1) {
      reports.push(await rebuild({ apply: round === 0, keepMax: 100 }));
    }
    isDone = true;
    await paying;
    expect(reports.flatMap(({ damage }) => damage)).toEqual([]);
    expect(reports.slice(1).flatMap(({ differences }) => differences)).toEqual([]);
    const { violations } = await verifyLedger(arena.mongo.db, { rules: ledgerRules(OPERATIONS) });
    expect(violations).toEqual([]);
    before = await bytesOf(arena);
  });
});
