import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import type { HoldDoc } from '../../../core/ledger/documents.ts';
import { createExpiredHoldsStore } from '../../../core/ledger/expired-holds-store.ts';
import { createRecoveryStore } from '../../../core/operations/recovery-store.ts';
import { createRepairStore } from '../../../core/operations/repair-store.ts';
import { createInterventionStore } from '../../../core/operations/intervention-store.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import { explained } from '../../support/explain.ts';
import { type Instance, accept, openWorld, submission } from '../../support/platform.ts';

const BACKLOG = 1_000;
const PAST = new Date(0);

const holdOf = (number: number, expiresAt: Date): HoldDoc => ({
  _id: `hld_${number.toString(16).padStart(32, '0')}`,
  tenantId: 'default',
  operationId: newOperationId(),
  ...{ userId: 'ann', currency: 'EUR', amount: 1n, captured: 0n, released: 0n, status: 'open' },
  expiresAt,
  createdAt: PAST,
  updatedAt: PAST,
});

/** Overdue and healthy: they wait for their turn. */
async function pile({ platform, ingest }: Instance): Promise<OperationDoc> {
  const credit = submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount: 1 });
  const [one] = await accept({ ingest }, [credit]);
  if (one === undefined) throw new Error('nothing was accepted');
  const copies = Array.from({ length: BACKLOG }, (_, index) => ({
    ...one,
    _id: newOperationId(),
    idempotencyKey: `pile-${index}`,
    nextCheckAt: PAST,
  }));
  await collection<OperationDoc>(platform.mongo.db, 'operations').insertMany(copies);
  return one;
}

describe('with a backlog that is overdue and healthy', () => {
  it('timers look at what is due alone', async () => {
    const { node } = await openWorld({ monitor: true });
    await pile(node);
    const { db } = node.platform.mongo;
    const repairs = createRepairStore(db, createOutboxStore(db));
    const now = new Date();
    const [look] = await explained(node, () =>
      repairs.findOverdue({ now, statuses: ['waiting'], limit: LIMITS.sweepBatch }),
    );
    expect(look?.what).toBe('operations.find');
    expect(look?.keysExamined).toBeLessThan(10);
    expect(look?.docsExamined).toBe(0);
  });

  it('a sweep looks at one page of a lane, without sorting the rest', async () => {
    const { node } = await openWorld({ monitor: true });
    const { lane = 0 } = await pile(node);
    const store = createRecoveryStore(node.platform.mongo.db);
    const among = { lane };
    const [look] = await explained(node, () => store.findOverdue(new Date(), among, 50));
    expect(look?.keysExamined).toBeGreaterThan(0);
    expect(look?.keysExamined).toBeLessThan(60);
    expect(look?.stages).not.toContain('SORT');
    const [heads] = await store.findOverdue(new Date(), among, 1);
    expect(heads).not.toHaveProperty('input');
  });
});

describe('expired holds', () => {
  it('are all found in one pass, however many expired at the same moment', async () => {
    const { node } = await openWorld({ monitor: true });
    const { db } = node.platform.mongo;
    const many = LIMITS.sweepBatch + 5;
    const holds = Array.from({ length: many }, (_, index) => holdOf(index, PAST));
    await collection<HoldDoc>(db, 'holds').insertMany(holds);
    const store = createExpiredHoldsStore(db);
    const first = await store.find(new Date(), undefined);
    expect(first).toHaveLength(LIMITS.sweepBatch);
    const rest = await store.find(new Date(), first.at(-1));
    expect(rest).toHaveLength(5);
    expect(new Set([...first, ...rest].map(({ _id }) => _id)).size).toBe(many);
    const [look] = await explained(node, () => store.find(new Date(), first.at(-1)));
    expect(look?.stages).not.toContain('SORT');
    expect(look?.stages).not.toContain('COLLSCAN');
  });
});

describe('an operation that a person resolves', () => {
  it('is asked for its own holds, not through those of the whole tenant', async () => {
    const { node } = await openWorld({ monitor: true });
    const { db } = node.platform.mongo;
    const one = await pile(node);
    const operations = collection<OperationDoc>(db, 'operations');
    await operations.updateOne({ _id: one._id }, { $set: { status: 'needs_attention' } });
    const holds = Array.from({ length: BACKLOG }, (_, index) => holdOf(index, PAST));
    const own = { ...holdOf(0, PAST), _id: `hld_${one._id.slice(3)}` as const };
    await collection<HoldDoc>(db, 'holds').insertMany([
      ...holds,
      { ...own, operationId: one._id, managedBy: 'withdrawal' },
    ]);
    const store = createInterventionStore(db, createOutboxStore(db));
    const action = { kind: 'resolve', actor: 'ann', note: 'seen', status: 'succeeded' } as const;
    const request = { id: one._id, action, readSignal: () => null };
    const resolve = () => store.intervene({ tenantId: 'default', currencies: [] }, request);
    await expect(resolve()).rejects.toThrow('is still open');
    await collection<HoldDoc>(db, 'holds').deleteOne({ _id: own._id });
    // With none of its own to end the search at, it costs what it looks through.
    const looks = await explained(node, resolve);
    const look = looks.find(({ what }) => what === 'holds.find');
    expect(look?.keysExamined).toBeLessThan(10);
    expect(look?.docsExamined).toBeLessThan(10);
  });
});
