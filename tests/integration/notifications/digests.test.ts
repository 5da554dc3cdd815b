import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import { digestOf } from '../../../core/notifications/routing/drafts.ts';
import { openWorld } from '../../support/platform.ts';

const WINDOW = { windowMs: 3_600_000 };

/** One event for ann, as it is routed at some time. */
function eventOf(
  number: number,
  { at, now }: { readonly at: Date; readonly now: Date },
): DeliveryDoc {
  return {
    _id: `dlv_${number.toString(16).padStart(48, '0')}`,
    ...{ tenantId: 'default', channel: 'email', status: 'pending', seq: 1, userId: 'ann' },
    event: { id: `op_${number}.e0`, name: 'bonus.awarded', at },
    ...{ category: 'digest', address: 'ann@example.test', template: 'bonus.awarded', data: {} },
    ...{ attempts: [], attemptsUsed: 0, createdAt: now },
    expiresAt: new Date(now.getTime() + 3_600_000),
  };
}

async function open() {
  const { node } = await openWorld();
  const { db } = node.platform.mongo;
  const store = createDeliveryStore(db);
  const docs = collection<DeliveryDoc>(db, 'deliveries');
  const gather = async (delivery: DeliveryDoc, later = 0) => {
    const { digest, item } = digestOf(delivery, { ...WINDOW, later });
    return (await store.gather(digest, item)) ? digest._id : undefined;
  };
  return { docs, gather };
}

describe('a digest', () => {
  it('counts what it does not show, and each event once', { timeout: 120_000 }, async () => {
    const { docs, gather } = await open();
    const now = new Date('2026-07-01T10:30:00Z');
    const count = LIMITS.digestItemsMax + 5;
    for (let number = 0; number < count; number += 1) {
      expect(await gather(eventOf(number, { at: now, now }))).toBeDefined();
    }
    // The whole row comes again.
    for (const number of [0, 50, LIMITS.digestItemsMax + 1, count - 1]) {
      expect(await gather(eventOf(number, { at: now, now }))).toBeDefined();
    }
    const [digest, ...others] = await docs.find().toArray();
    expect(others).toEqual([]);
    expect([digest?.items?.length, digest?.more?.length]).toEqual([LIMITS.digestItemsMax, 5]);
  });

  it('has the event of a row that comes again over the edge of its window, and no other has', async () => {
    const { docs, gather } = await open();
    const at = new Date('2026-07-01T10:59:59Z');
    const first = await gather(eventOf(1, { at, now: at }));
    const again = await gather(eventOf(1, { at, now: new Date('2026-07-01T11:00:03Z') }));
    expect(again).toBe(first);
    await docs.updateOne({}, { $set: { status: 'sent' } });
    expect(await gather(eventOf(1, { at, now: new Date('2026-07-01T11:00:09Z') }))).toBe(first);
    const digests = await docs.find().toArray();
    expect(digests.flatMap(({ items = [] }) => items)).toHaveLength(1);
    // Another event of that window, after it was sent, goes into the next one.
    expect(await gather(eventOf(2, { at, now: at }))).toBeUndefined();
    expect(await gather(eventOf(2, { at, now: at }), 1)).toBeDefined();
  });
});
