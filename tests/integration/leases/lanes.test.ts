import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { createLeaseStore, createWorkerRoster } from '../../../core/infra/lease-store.ts';
import { openLayouts } from '../../../core/operations/layouts.ts';
import { LANES } from '../../../queues/catalog.ts';
import { type Lanes, shareOf, startLanes } from '../../../workers/lanes.ts';
import { type Instance, openWorld } from '../../support/platform.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

interface Watched {
  readonly lanes: Lanes;
  /** Consumers that were opened and not closed, by lane. */
  readonly consuming: () => readonly number[];
}

function watchLanes(node: Instance, closed: Promise<void> = Promise.resolve()): Watched {
  const { platform } = node;
  const open: number[] = [];
  const lanes = startLanes({
    platform,
    leases: createLeaseStore(platform.mongo.db),
    roster: createWorkerRoster(platform.mongo.db),
    layouts: openLayouts(platform.mongo.db, {
      own: platform.env.SETTLEMENT_LANES,
      clock: platform.clock,
    }),
    open: async (lane) => {
      open.push(lane);
      return {
        close: async () => {
          await closed;
          open.splice(open.indexOf(lane), 1);
        },
      };
    },
  });
  platform.lifecycle.onClose('test lanes', () => lanes.close());
  return { lanes, consuming: () => [...open].sort((a, b) => a - b) };
}

const count = ({ lanes }: Watched): number => lanes.held().length;

describe('lanes', () => {
  it('are shared out in full and evenly among any number of processes', () => {
    for (let processes = 1; processes <= 2 * LANES.length; processes += 1) {
      const shares = Array.from({ length: processes }, (_, rank) =>
        shareOf(rank, processes, LANES.length),
      );
      const taken = shares.flatMap(({ size, start }) =>
        Array.from({ length: size }, (_, step) => (start + step) % LANES.length),
      );
      expect(taken.sort((a, b) => a - b)).toEqual(LANES);
      const sizes = shares.map(({ size }) => size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  it('leave none of five processes without one', async () => {
    const { node, open } = await openWorld();
    const all = [watchLanes(node)];
    for (let index = 1; index < 5; index += 1) all.push(watchLanes(await open()));
    const held = (): readonly number[] => all.flatMap((one) => one.lanes.held());
    await until(
      () => held().length === LANES.length && allOf(all, (one) => count(one) > 0),
      () => `each has a lane: ${all.map(count).join(' ')}`,
      30_000,
    );
    expect([...held()].sort((a, b) => a - b)).toEqual(LANES);
  });

  it('all go to a process that is alone', async () => {
    const { node } = await openWorld();
    const alone = watchLanes(node);
    await until(() => count(alone) === LANES.length, 'it takes every lane');
    expect(alone.consuming()).toEqual(LANES);
  });

  it('are shared with a second process, and go back when it stops', async () => {
    const { node, open } = await openWorld();
    const first = watchLanes(node);
    await until(() => count(first) === LANES.length, 'the first takes every lane');
    const second = watchLanes(await open());
    await until(() => count(first) === 4 && count(second) === 4, 'they share', 20_000);
    const all = [...first.consuming(), ...second.consuming()].sort((a, b) => a - b);
    expect(all).toEqual(LANES);
    expect(new Set([first.lanes.rank(), second.lanes.rank()])).toEqual(new Set([0, 1]));
    await second.lanes.close();
    expect(second.consuming()).toEqual([]);
    await until(() => count(first) === LANES.length, 'the first takes them back', 20_000);
  });

  it('of a process that died go to another when its leases have run out', async () => {
    const { node } = await openWorld();
    const { db } = node.platform.mongo;
    const leases = createLeaseStore(db);
    for (const lane of LANES) await leases.hold(`lane:${lane}`, 'dead', 500);
    const alive = watchLanes(node);
    await until(() => count(alive) === LANES.length, 'they are taken over', 20_000);
  });

  it('are given up by a process that has lost its lease', async () => {
    const { node } = await openWorld();
    const watched = watchLanes(node);
    await until(() => count(watched) === LANES.length, 'it takes every lane');
    await collection<{ _id: string }>(node.platform.mongo.db, 'leases').updateOne(
      { _id: 'lane:3' },
      [{ $set: { owner: 'thief', until: { $add: ['$$NOW', 60_000] } } }],
    );
    await until(() => !watched.lanes.held().includes(3), 'it notices', 20_000);
    expect(watched.consuming()).toEqual(LANES.filter((lane) => lane !== 3));
  });

  it('that it keeps are renewed while another takes long to give up', async () => {
    const { node, open } = await openWorld();
    let finish = (): void => undefined;
    const jobsDone = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = watchLanes(node, jobsDone);
    await until(() => count(first) === LANES.length, 'the first takes every lane');
    watchLanes(await open());
    await until(() => count(first) < LANES.length, 'the first begins to give one up', 20_000);
    const leases = collection<{ _id: string; until: Date }>(node.platform.mongo.db, 'leases');
    const kept = `lane:${first.lanes.held()[0] ?? -1}`;
    const before = (await leases.findOne({ _id: kept }))?.until.getTime() ?? Infinity;
    const isRenewed = async (): Promise<boolean> =>
      ((await leases.findOne({ _id: kept }))?.until.getTime() ?? 0) > before + 1_000;
    try {
      await until(isRenewed, 'the kept lease is renewed', 9_000);
    } finally {
      finish();
    }
  });

  it('are all closed by a process that stops while it is still taking them', async () => {
    const { node } = await openWorld();
    const watched = watchLanes(node);
    await until(() => count(watched) > 0, 'it takes the first');
    await watched.lanes.close();
    expect(watched.consuming()).toEqual([]);
    const left = await collection(node.platform.mongo.db, 'leases').countDocuments({});
    expect(left).toBe(0);
  });
});
