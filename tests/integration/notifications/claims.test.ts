import { describe, expect, it } from 'vitest';
import type { DeliveryDoc, DeliveryId } from '../../../core/notifications/delivery/delivery.ts';
import { createDeliveryJournal } from '../../../core/notifications/delivery/delivery-journal.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import { collection } from '../../../core/infra/collections.ts';
import { openWorld } from '../../support/platform.ts';

const LEASE_MS = 30_000;

/** Two messages that are due, in a database of the test's own. */
async function twoDeliveries() {
  const { node } = await openWorld();
  const { db } = node.platform.mongo;
  const ids: readonly DeliveryId[] = [`dlv_${'a'.repeat(48)}`, `dlv_${'b'.repeat(48)}`];
  const now = new Date();
  await collection<DeliveryDoc>(db, 'deliveries').insertMany(
    ids.map((_id) => ({
      _id,
      tenantId: 'default',
      channel: 'sms' as const,
      status: 'pending' as const,
      event: { id: 'evt_1', name: 'user.blocked', at: now },
      category: 'security',
      address: '+4915112345678',
      template: 'user.blocked',
      data: {},
      seq: 1,
      attempts: [],
      attemptsUsed: 0,
      expiresAt: new Date(now.getTime() + 60_000),
      createdAt: now,
    })),
  );
  const deliveries = createDeliveryStore(db);
  const { publisher } = node.queues;
  const journal = createDeliveryJournal({
    ...node.platform,
    ...{ deliveries, publisher, leaseMs: LEASE_MS, random: () => 0.5 },
  });
  return { ids, deliveries, journal };
}

describe('two jobs of one delivery', () => {
  it('in one group of claims: one has it, the other has not, nor is a neighbour hurt', async () => {
    const { ids, journal } = await twoDeliveries();
    const [one = 'dlv_', other = 'dlv_'] = ids;
    // Asked in one turn of the event loop, so that they go to the database together.
    const owners = await Promise.all([one, one, other, one].map((id) => journal.claim(id)));
    const mine = [owners[0], owners[1], owners[3]].filter((owner) => owner !== undefined);
    expect(mine).toHaveLength(1);
    expect(owners[2]?.owner).toBeTypeOf('string');
  });

  it('one after the other: what is being sent is nobody else’s', async () => {
    const { ids, deliveries } = await twoDeliveries();
    const claim = (owner: string) => deliveries.claim({ ids, owner, leaseMs: LEASE_MS });
    expect([...(await claim('first'))].toSorted()).toEqual([...ids].toSorted());
    expect([...(await claim('second'))]).toEqual([]);
  });

  it('of two processes at once: each delivery is claimed once', async () => {
    const { ids, deliveries } = await twoDeliveries();
    const claims = await Promise.all(
      ['a', 'b', 'c', 'd'].map((owner) => deliveries.claim({ ids, owner, leaseMs: LEASE_MS })),
    );
    expect(claims.flatMap((claimed) => [...claimed]).toSorted()).toEqual([...ids].toSorted());
  });
});
