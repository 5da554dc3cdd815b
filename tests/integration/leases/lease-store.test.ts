import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { createLeaseStore, createWorkerRoster } from '../../../core/infra/lease-store.ts';
import { openWorld } from '../../support/platform.ts';
import { until } from '../../support/wait.ts';

describe('a lease', () => {
  it('belongs to one of many who ask at the same moment', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const stores = [node, other].map(({ platform }) => createLeaseStore(platform.mongo.db));
    const asked = Array.from({ length: 20 }, async (_, index) =>
      stores[index % 2]?.hold('lane:0', `owner-${index}`, 60_000),
    );
    const held = await Promise.all(asked);
    expect(held.filter((isMine) => isMine === true)).toHaveLength(1);
  });

  it('can be renewed by its owner and taken by nobody else before it has run out', async () => {
    const { node } = await openWorld();
    const leases = createLeaseStore(node.platform.mongo.db);
    expect(await leases.hold('x', 'ann', 60_000)).toBe(true);
    expect(await leases.hold('x', 'ann', 60_000)).toBe(true);
    expect(await leases.hold('x', 'bob', 60_000)).toBe(false);
    expect(await leases.hold('y', 'bob', 60_000)).toBe(true);
  });

  it('is free when it has run out, or was given back by its owner', async () => {
    const { node } = await openWorld();
    const leases = createLeaseStore(node.platform.mongo.db);
    await leases.hold('x', 'ann', 1);
    await until(() => leases.hold('x', 'bob', 60_000), 'the lease runs out');
    await leases.release('x', 'ann');
    expect(await leases.hold('x', 'ann', 60_000)).toBe(false);
    await leases.release('x', 'bob');
    expect(await leases.hold('x', 'ann', 60_000)).toBe(true);
  });

  it('runs in database time, so that a wrong clock here neither steals nor keeps it', async () => {
    const { node } = await openWorld();
    const { db } = node.platform.mongo;
    await createLeaseStore(db).hold('x', 'ann', 30_000);
    const [{ left } = { left: 0 }] = await collection(db, 'leases')
      .aggregate<{ left: bigint | number }>([
        { $project: { left: { $subtract: ['$until', '$$NOW'] } } },
      ])
      .toArray();
    expect(Number(left)).toBeGreaterThan(25_000);
    expect(Number(left)).toBeLessThanOrEqual(30_000);
  });
});

describe('the roster', () => {
  it('lists who was seen lately, by pool, until they leave', async () => {
    const { node } = await openWorld();
    const { db } = node.platform.mongo;
    const roster = createWorkerRoster(db);
    await roster.beat('w2', ['settlement', 'recovery'], 12);
    await roster.beat('w1', ['settlement'], 8);
    await roster.beat('w3', ['notification'], 8);
    expect(await roster.alive('settlement', 60_000)).toEqual([
      { id: 'w1', lanes: 8 },
      { id: 'w2', lanes: 12 },
    ]);
    await roster.leave('w1');
    expect(await roster.alive('settlement', 60_000)).toEqual([{ id: 'w2', lanes: 12 }]);
    await collection(db, 'workers').updateMany({}, { $set: { seenAt: new Date(0) } });
    expect(await roster.alive('settlement', 60_000)).toEqual([]);
  });
});
