import { MongoServerError } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/kernel/clock.ts';
import { ensureCollections } from '../../core/infra/schema.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { canonicalHash } from '../../core/kernel/canonical.ts';
import { type OperationId, newOperationId } from '../../core/kernel/ids.ts';
import { createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { LEDGER_CHECKS, type LedgerCheck } from '../../core/ledger/verify/report.ts';
import { verifyLedger } from '../../core/ledger/verify/verify-store.ts';
import { type Walk, walkPages } from '../../core/ledger/verify/walk-store.ts';
import { ledgerRules } from '../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { bindOperation, decideBatch, batchReads } from '../../core/settlement/decide.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';

const DATABASE = `sluice_ledger_verify_${process.pid}`;
const CURRENCY = 'EUR';
const PAGE_SIZES = [5, 20_000];

interface Item {
  readonly id?: OperationId;
  readonly type: string;
  readonly input: object;
  readonly tenantId?: string;
  readonly dryRun?: true;
}

interface Money {
  readonly amount: number;
  readonly fee?: number;
  readonly id?: OperationId;
}

let mongo: Mongo;

function docOf(item: Item): OperationDoc {
  const definition = OPERATIONS[item.type as keyof typeof OPERATIONS];
  const input = definition.input.parse(item.input) as OperationDoc['input'];
  const at = new Date();
  const id = item.id ?? newOperationId();
  return {
    _id: id,
    tenantId: item.tenantId ?? 'default',
    type: item.type,
    typeVersion: definition.version,
    input,
    idempotencyKey: id,
    requestHash: canonicalHash(input),
    status: 'accepted',
    epoch: 0,
    orderingKey: 'k',
    lane: 0,
    stamp: 1n,
    dispatch: { queue: 'q', seq: 1, at },
    ...(item.dryRun !== undefined && { dryRun: item.dryRun }),
    correlationId: 'c',
    createdAt: at,
  };
}

/** Settles in one transaction, by the code that settles in production. */
async function settle(items: readonly Item[], stripe = 0): Promise<readonly string[]> {
  const store = createLedgerStore(mongo.client, mongo.db);
  const bound = items.map((item) => bindOperation(OPERATIONS, docOf(item)));
  return store.transact(async (transaction) => {
    const loaded = await transaction.load(batchReads(bound, stripe));
    const at = new Date();
    const onBug = (_: unknown, error: unknown): never => {
      throw error;
    };
    const { outcomes, book } = decideBatch(bound, { loaded, at, stripe, onBug });
    await transaction.write(book.changes());
    const docs = outcomes.map(({ operation, status }) => ({ ...operation, status }));
    const { session } = transaction;
    await mongo.db.collection<OperationDoc>('operations').insertMany(docs, { session });
    return outcomes.map(({ status, error }) => error?.code ?? status);
  });
}

const ids = {
  transfer: newOperationId(),
  reversed: newOperationId(),
  open: newOperationId(),
  captured: newOperationId(),
  batch: newOperationId(),
  rejected: newOperationId(),
  dryRun: newOperationId(),
};
const hold = (id: string): string => `hld_${id.slice(3)}`;
const trf = (id: string): string => `trf_${id.slice(3)}`;
const wallet = { currency: CURRENCY };

const PEOPLE: readonly Item[] = ['ann', 'bob', 'cyd'].flatMap((userId) => [
  { type: 'user.create', input: { userId, wallets: [wallet] } },
  { type: 'wallet.credit', input: { userId, ...wallet, amount: '10000' } },
]);

const LIFE: readonly Item[] = [
  pay('ann', 'bob', { amount: 700, fee: 9, id: ids.transfer }),
  pay('bob', 'cyd', { amount: 300, id: ids.reversed }),
  { type: 'transfer.reverse', input: { transferId: trf(ids.reversed), amount: '100' } },
  { id: ids.open, type: 'hold.place', input: { userId: 'ann', ...wallet, amount: '500' } },
  { type: 'hold.capture', input: { holdId: hold(ids.open), amount: '120' } },
  { id: ids.captured, type: 'hold.place', input: { userId: 'bob', ...wallet, amount: '50' } },
  { type: 'hold.capture', input: { holdId: hold(ids.captured), toUserId: 'cyd', ...wallet } },
  { type: 'bonus.award', input: { userId: 'cyd', ...wallet, amount: '40' } },
  { type: 'bonus.convert', input: { userId: 'cyd', ...wallet, amount: '15' } },
  { type: 'wallet.debit', input: { userId: 'cyd', ...wallet, amount: '77', fee: '3' } },
];

function pay(fromUserId: string, toUserId: string, money: Money): Item {
  const { id, amount, fee } = money;
  const input = { fromUserId, toUserId, ...wallet, amount, ...(fee !== undefined && { fee }) };
  return { ...(id !== undefined && { id }), type: 'transfer', input };
}

async function buildLedger(): Promise<void> {
  await ensureCollections(mongo.db, systemClock);
  await settle(PEOPLE, 1);
  const statuses = await settle(LIFE, 2);
  expect(statuses).toEqual(LIFE.map(() => 'succeeded'));
  const operations = [
    pay('ann', 'bob', { amount: 1 }),
    pay('ann', 'cyd', { amount: 2 }),
    pay('bob', 'ann', { amount: 3 }),
  ];
  await settle([{ id: ids.batch, type: 'batch', input: { operations } }], 3);
  const refused = await settle([
    pay('bob', 'ann', { amount: 999_999_999, id: ids.rejected }),
    { ...pay('bob', 'ann', { amount: 5, id: ids.dryRun }), dryRun: true },
    { type: 'user.create', tenantId: 'other', input: { userId: 'ann', wallets: [wallet] } },
    { type: 'wallet.credit', tenantId: 'other', input: { userId: 'ann', ...wallet, amount: '1' } },
  ]);
  expect(refused).toEqual(['insufficient_funds', 'succeeded', 'succeeded', 'succeeded']);
}

const STORED = ['operations', 'wallets', 'transactions', 'transfers', 'holds'] as const;
type Stored = (typeof STORED)[number];
type Row = Record<string, unknown>;

/** The collections as they stand, so that a corruption can be taken back. */
async function copyLedger(): Promise<() => Promise<void>> {
  const copies = await Promise.all(
    STORED.map(async (name) => ({ name, rows: await rowsOf(name).find({}).toArray() })),
  );
  return async () => {
    for (const { name, rows } of copies) {
      await rowsOf(name).deleteMany({});
      await rowsOf(name).insertMany(rows);
    }
  };
}

function rowsOf(name: Stored) {
  return mongo.db.collection<Row & { _id: string }>(name, { useBigInt64: true });
}

async function set(name: Stored, filter: Row, change: Row): Promise<void> {
  const { matchedCount } = await rowsOf(name).updateOne(filter, { $set: change });
  expect(matchedCount).toBe(1);
}

async function remove(name: Stored, filter: Row): Promise<void> {
  const { deletedCount } = await rowsOf(name).deleteMany(filter);
  expect(deletedCount).toBeGreaterThan(0);
}

const firstLeg = { _id: `${ids.transfer}.1` };
const ann = { tenantId: 'default', userId: 'ann' };

/** What is done to the stored documents, and every check that must see it. */
const CORRUPTIONS: Readonly<
  Record<string, { corrupt: () => Promise<void>; seenBy: readonly LedgerCheck[] }>
> = {
  'a changed amount': {
    corrupt: () => set('transactions', firstLeg, { amount: 701n }),
    seenBy: ['operation.sum', 'wallet.chain', 'wallet.fold', 'currency.entries-sum'],
  },
  'an amount that is no int64': {
    corrupt: () => set('transactions', firstLeg, { amount: 700.5 }),
    seenBy: ['entry.malformed', 'operation.sum', 'wallet.fold', 'currency.entries-sum'],
  },
  'a changed balanceAfter': {
    corrupt: () => set('transactions', firstLeg, { balanceAfter: 1n }),
    seenBy: ['wallet.chain'],
  },
  'a lost entry': {
    corrupt: () => remove('transactions', { _id: `${ids.batch}.1` }),
    seenBy: ['wallet.seq-gap', 'wallet.fold', 'operation.legs', 'operation.sum'],
  },
  'all entries of an operation lost': {
    corrupt: () => remove('transactions', { operationId: ids.transfer }),
    seenBy: ['operation.no-entries', 'wallet.seq-gap', 'wallet.fold'],
  },
  'an entry of another user': {
    corrupt: () => set('transactions', firstLeg, { userId: 'bob' }),
    seenBy: ['entry.foreign'],
  },
  'an entry of another tenant': {
    corrupt: () => set('transactions', firstLeg, { tenantId: 'other' }),
    seenBy: ['entry.foreign', 'operation.sum', 'currency.entries-sum'],
  },
  'a wallet that changed its owner': {
    corrupt: () => set('wallets', { tenantId: 'other', userId: 'ann' }, { userId: 'zed' }),
    seenBy: ['entry.foreign'],
  },
  'a lost wallet': {
    corrupt: () => remove('wallets', ann),
    seenBy: ['wallet.missing', 'currency.wallets-sum'],
  },
  'a wallet with money from nowhere': {
    corrupt: () => set('wallets', ann, { balance: 1_000_000n }),
    seenBy: ['wallet.fold', 'currency.wallets-sum'],
  },
  'a wallet whose seq ran ahead': {
    corrupt: () => set('wallets', ann, { seq: 99 }),
    seenBy: ['wallet.fold'],
  },
  'a wallet with wrong lifetime totals': {
    corrupt: () => set('wallets', ann, { totalCredited: 0n }),
    seenBy: ['wallet.fold'],
  },
  'a forgotten hold': {
    corrupt: () => remove('holds', { _id: hold(ids.open) }),
    seenBy: ['wallet.locked'],
  },
  'an overspent wallet': {
    corrupt: () => set('wallets', ann, { balance: -1n }),
    seenBy: ['wallet.overspent', 'wallet.fold'],
  },
  'a closed wallet with money in it': {
    corrupt: () => set('wallets', ann, { status: 'closed' }),
    seenBy: ['wallet.closed'],
  },
  'a lost operation': {
    corrupt: () => remove('operations', { _id: ids.transfer }),
    seenBy: ['operation.missing'],
  },
  'an operation that changed its tenant': {
    corrupt: () => set('operations', { _id: ids.transfer }, { tenantId: 'other' }),
    seenBy: ['entry.foreign'],
  },
  'a rejected operation that moved money': {
    corrupt: () => set('operations', { _id: ids.transfer }, { status: 'rejected' }),
    seenBy: ['operation.status'],
  },
  'a rejected operation that claims success': {
    corrupt: () => set('operations', { _id: ids.rejected }, { status: 'succeeded' }),
    seenBy: ['operation.no-entries'],
  },
  'a dry run that moved money': {
    corrupt: () => set('operations', { _id: ids.transfer }, { dryRun: true }),
    seenBy: ['operation.extra-entries'],
  },
  'a transfer given back beyond its amount': {
    corrupt: () => set('transfers', { _id: trf(ids.reversed) }, { reversedAmount: 301n }),
    seenBy: ['transfer.reversed'],
  },
  'a transfer of the wrong status': {
    corrupt: () => set('transfers', { _id: trf(ids.reversed) }, { status: 'settled' }),
    seenBy: ['transfer.reversed'],
  },
  'a hold captured beyond its amount': {
    corrupt: () => set('holds', { _id: hold(ids.captured) }, { captured: 51n }),
    seenBy: ['hold.used'],
  },
  'a hold that is open and used up': {
    corrupt: () => set('holds', { _id: hold(ids.captured) }, { status: 'open' }),
    seenBy: ['hold.used'],
  },
};

const rules = ledgerRules(OPERATIONS);

beforeAll(async () => {
  const url = process.env['MONGO_URL'] ?? 'mongodb://127.0.0.1:27017/?replicaSet=rs0';
  mongo = await openMongo({ url, database: DATABASE, appName: 'test-ledger-verify' });
  await buildLedger();
});

afterAll(async () => {
  await mongo.db.dropDatabase();
  await mongo.close();
});

describe('a sound ledger', () => {
  it.each(PAGE_SIZES)('has no violations, read %d entries at a time', async (pageSize) => {
    const report = await verifyLedger(mongo.db, { rules, pageSize });
    expect(report.violations).toEqual([]);
    expect(report.isClean).toBe(true);
    const [stored, wallets] = [rowsOf('transactions'), rowsOf('wallets')];
    expect(report.counts).toEqual({
      entries: await stored.countDocuments(),
      wallets: await wallets.countDocuments(),
      operations: await rowsOf('operations').countDocuments(),
      transfers: 5,
      holds: 2,
    });
    const [row] = report.currencies;
    expect(row).toMatchObject({ tenantId: 'default', currency: CURRENCY, userWallets: 3 });
    // 30,000 came in; 120 and 77 went out, 9 and 3 were fees, 15 of bonus became real.
    expect(row?.heldByUsers).toEqual({ real: 29_806n, bonus: 25n, locked: 380n });
    expect(report.currencies.map(({ tenantId }) => tenantId)).toEqual(['default', 'other']);
  });

  it('stays clean while operations settle', async () => {
    const restore = await copyLedger();
    let isOver = false;
    const settling = (async () => {
      for (let round = 0; !isOver; round += 1) {
        const items = [
          pay('ann', 'bob', { amount: 3 }),
          pay('bob', 'cyd', { amount: 3 }),
          pay('cyd', 'ann', { amount: 3 }),
        ];
        await settle(items, round % 4);
      }
    })();
    for (let run = 0; run < 5; run += 1) {
      const report = await verifyLedger(mongo.db, { rules, pageSize: 60 });
      expect(report.violations).toEqual([]);
    }
    isOver = true;
    await settling;
    await restore();
  });
});

describe('a corrupted ledger', () => {
  const cases = Object.entries(CORRUPTIONS).flatMap(([name, corruption]) =>
    PAGE_SIZES.map((pageSize) => ({ name, pageSize, ...corruption })),
  );

  it.each(cases)('shows $name ($pageSize at a time)', async ({ corrupt, seenBy, pageSize }) => {
    const restore = await copyLedger();
    try {
      await corrupt();
      const report = await verifyLedger(mongo.db, { rules, pageSize, keepMax: 3 });
      expect(report.isClean).toBe(false);
      expect(Object.keys(report.byCheck)).toEqual(expect.arrayContaining([...seenBy]));
      expect(report.violations.length).toBe(Math.min(3, report.violationCount));
    } finally {
      await restore();
    }
  });

  it('is tried in a way that every check sees', () => {
    const seen = new Set(Object.values(CORRUPTIONS).flatMap(({ seenBy }) => seenBy));
    expect([...seen].sort()).toEqual(Object.keys(LEDGER_CHECKS).sort());
  });
});

describe('the walk', () => {
  it('reads a page again, smaller, when its snapshot is gone', async () => {
    const sizes: number[] = [];
    const walk = { db: mongo.db, options: { rules }, pageSize: 400 } as Walk;
    await walkPages(walk, 'start', async ({ pageSize }) => {
      sizes.push(pageSize);
      if (sizes.length <= 2) throw new MongoServerError({ message: 'too old', code: 239 });
      return undefined;
    });
    expect(sizes).toEqual([400, 200, 100]);
  });

  it('gives other errors on', async () => {
    const walk = { db: mongo.db, options: { rules }, pageSize: 400 } as Walk;
    const failing = walkPages(walk, 'start', async () => {
      throw new MongoServerError({ message: 'no', code: 13 });
    });
    await expect(failing).rejects.toThrow('no');
  });

  it('stops when it is told to', async () => {
    const options = { rules, signal: AbortSignal.abort(new Error('enough')) };
    await expect(verifyLedger(mongo.db, options)).rejects.toThrow('enough');
  });
});
