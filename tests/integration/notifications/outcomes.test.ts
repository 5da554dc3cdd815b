import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type {
  Attempt,
  DeliveryDoc,
  DeliveryId,
} from '../../../core/notifications/delivery/delivery.ts';
import { alikeOf } from '../../../core/notifications/delivery/delivery-statements.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import type { DeliveryWrite } from '../../../core/notifications/delivery/delivery-write.ts';
import { openWorld } from '../../support/platform.ts';

const ATTEMPT = {
  provider: 'webhook',
  outcome: 'sent',
  at: new Date(),
  ms: 1,
  worker: 'w',
} as const;

const idOf = (index: number): DeliveryId => `dlv_${String(index).padStart(48, '0')}`;
const attemptOf = (index: number): Attempt => ({ ...ATTEMPT, ms: index });

function sentOf(index: number, owner = `owner-${String(index % 3)}`): DeliveryWrite {
  const attempts = [attemptOf(index)];
  return { id: idOf(index), owner, change: { kind: 'final', status: 'sent', attempts, used: 1 } };
}

/** Claimed by three owners in turn. */
async function claimed(count: number, part: Partial<DeliveryDoc> = {}) {
  const { node } = await openWorld();
  const { db } = node.platform.mongo;
  const stored = collection<DeliveryDoc>(db, 'deliveries');
  const now = new Date();
  await stored.insertMany(
    Array.from({ length: count }, (_, index) => ({
      _id: idOf(index),
      tenantId: 'default',
      channel: 'webhook' as const,
      status: 'sending' as const,
      owner: `owner-${String(index % 3)}`,
      leaseUntil: new Date(now.getTime() + 30_000),
      event: { id: 'evt_1', name: 'transfer.settled', at: now },
      category: 'webhooks',
      address: 'http://127.0.0.1:1/',
      template: 'transfer.settled',
      data: {},
      seq: 1,
      attempts: [],
      attemptsUsed: 0,
      expiresAt: new Date(now.getTime() + 60_000),
      createdAt: now,
      ...part,
    })),
  );
  return { store: createDeliveryStore(db), stored };
}

describe('outcomes that are recorded together', () => {
  it('go in one statement when they are equal, and each keeps its own call', async () => {
    const { store, stored } = await claimed(30);
    const writes = Array.from({ length: 30 }, (_, index) => sentOf(index));
    expect(alikeOf(writes)).toHaveLength(1);
    expect(await store.write(writes)).toBe(true);
    const docs = await stored.find().sort({ _id: 1 }).toArray();
    expect(docs.map(({ status }) => status)).toEqual(docs.map(() => 'sent'));
    expect(docs.map(({ attempts }) => attempts.map(({ ms }) => ms))).toEqual(
      docs.map((_doc, index) => [index]),
    );
    expect(docs.map(({ attemptsUsed }) => attemptsUsed)).toEqual(docs.map(() => 1));
    expect(docs.some((doc) => 'owner' in doc || 'nextCheckAt' in doc)).toBe(false);
  });

  it('change nothing of one that another worker has by now, and all of the others', async () => {
    const { store, stored } = await claimed(3);
    const failed = { kind: 'final', status: 'failed', attempts: [], used: 1 } as const;
    const writes = [0, 1, 2].map((index) => ({ ...sentOf(index), change: failed }));
    await stored.updateOne({ _id: idOf(1) }, { $set: { owner: 'another' } });
    expect(await store.write(writes)).toBe(false);
    const docs = await stored.find().sort({ _id: 1 }).toArray();
    expect(docs.map(({ status }) => status)).toEqual(['failed', 'sending', 'failed']);
  });

  it('of one delivery by two of its claims: the stale one is not taken for the other', async () => {
    const { store, stored } = await claimed(1);
    const again = { kind: 'pending', delayMs: 5_000, attempts: [attemptOf(7)], used: 1 } as const;
    const late = { ...sentOf(0), owner: 'stale', change: again };
    await store.write([late, { ...sentOf(0), change: { ...again, attempts: [attemptOf(8)] } }]);
    const [doc] = await stored.find().toArray();
    expect(doc?.attempts.map(({ ms }) => ms)).toEqual([8]);
  });
});

describe('a success that comes late', () => {
  it.each(['pending', 'sending', 'uncertain'] as const)(
    'is recorded as sent where it is %s by now',
    async (status) => {
      const { store, stored } = await claimed(2, { status, owner: 'another' });
      expect(await store.write([sentOf(0), sentOf(1)])).toBe(false);
      const docs = await stored.find().toArray();
      expect(docs.map((doc) => doc.status)).toEqual(['sent', 'sent']);
    },
  );

  it('of before a person had it sent again changes nothing, nor does a late failure', async () => {
    const { store, stored } = await claimed(2, { status: 'pending', resends: 1 });
    const again = { kind: 'pending', delayMs: 5_000, attempts: [], used: 1 } as const;
    await store.write([sentOf(0), { ...sentOf(1), resends: 1, change: again }]);
    const docs = await stored.find().toArray();
    expect(docs.map(({ status, attemptsUsed }) => [status, attemptsUsed])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
    await store.write([{ ...sentOf(0), resends: 1 }]);
    expect(await stored.findOne({ _id: idOf(0) })).toMatchObject({ status: 'sent' });
  });

  it('never undoes an end', async () => {
    const { store, stored } = await claimed(1, { status: 'failed' });
    await store.write([sentOf(0)]);
    expect(await stored.findOne()).toMatchObject({ status: 'failed', attempts: [] });
  });
});
