import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import type { BatchRunner } from '../../../core/settlement/batch-runner.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import type { Candidate } from '../../../core/settlement/lane-selection.ts';
import type { BoundDoc } from '../../../core/settlement/decide.ts';
import { createSuspects } from '../../../core/settlement/suspects.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { createSagas, createServices } from '../../../runtime/sagas.ts';
import {
  accept,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const create = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });
const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });

const notCalled = (): never => {
  throw new Error('nobody asked for that');
};

/** A process that is gone as soon as it tries this operation: nothing of it returns any more. */
function dying(bomb: OperationDoc | undefined) {
  const ends: (() => void)[] = [];
  onTestFinished(() => {
    for (const end of ends) end();
  });
  let deaths = 0;
  const around = (runner: BatchRunner): BatchRunner => {
    let isDead = false;
    return {
      ...runner,
      run: async (batch, slot) => {
        const isLast = batch.some(({ operation }) => operation._id === bomb?._id);
        if (!isLast && !isDead) return runner.run(batch, slot);
        if (!isDead) deaths += 1;
        isDead = true;
        await new Promise<void>((resolve) => ends.push(resolve));
        throw new Error('it is dead');
      },
    };
  };
  return { around, deaths: () => deaths };
}

describe('an atomic operation that kills its worker each time', () => {
  it('ends with a human after a bounded number of deaths, and takes nobody with it', async () => {
    const { node } = await openWorld();
    const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
    const neighbours = await accept(
      node,
      users.flatMap((user) => [create(user), credit(user)]),
    );
    const [bomb] = await accept(node, [credit('u3')]);
    const [behind] = await accept(node, [credit('u3')]);
    const { around, deaths } = dying(bomb);
    const isOver = async (): Promise<boolean> => {
      const [stored] = await readOperations(node, [bomb] as OperationDoc[]);
      return stored?.status === 'needs_attention';
    };
    for (let owner = 0; owner <= LIMITS.interruptionsMax + 2; owner += 1) {
      if (await isOver()) break;
      // The first owner took lanes that were free; the others took over from a dead one.
      pokeAll(openSettler(node, { around, ...(owner > 0 && { hasLapsed: true as const }) }));
      await until(async () => deaths() > owner || (await isOver()), 'it dies, or is done');
    }
    expect(deaths()).toBeGreaterThan(LIMITS.interruptionsMax);
    expect(deaths()).toBeLessThanOrEqual(LIMITS.interruptionsMax + 1);
    const done = outcomesOf(await settled(node, [...neighbours, bomb, behind] as OperationDoc[]));
    expect(done.slice(-2)).toEqual(['needs_attention poison_operation', 'succeeded']);
    expect(new Set(done.slice(0, -2))).toEqual(new Set(['succeeded']));
    const after = await readOperations(node, neighbours);
    expect(Math.max(...after.map(({ interruptions = 0 }) => interruptions))).toBeLessThanOrEqual(
      LIMITS.interruptionsMax / 2,
    );
  });

  it('is not counted for failures of a process that lives', async () => {
    const { node } = await openWorld();
    const [one] = await accept(node, [create('ann')]);
    let left = LIMITS.interruptionsMax + 3;
    const around = (runner: BatchRunner): BatchRunner => ({
      ...runner,
      run: (batch, slot) => {
        left -= 1;
        const nothing = { settled: [], parked: [], failed: [], waiting: [], isUnavailable: false };
        return left > 0 ? Promise.resolve(nothing) : runner.run(batch, slot);
      },
    });
    pokeAll(openSettler(node, { around, hasLapsed: true }));
    const [done] = await settled(node, [one] as OperationDoc[]);
    expect(done?.status).toBe('succeeded');
    expect(left).toBeLessThanOrEqual(0);
  });

  it('is known to have had an owner that died by the lease that ran out', async () => {
    const { node } = await openWorld();
    const leases = createLeaseStore(node.platform.mongo.db);
    expect(await leases.take('lane:0', 'first', 60_000)).toBe('free');
    expect(await leases.take('lane:0', 'second', 60_000)).toBe('elsewhere');
    expect(await leases.take('lane:0', 'first', 1)).toBe('free');
    await until(
      async () => (await leases.take('lane:0', 'second', 60_000)) === 'lapsed',
      'it lapses',
    );
    await leases.release('lane:0', 'second');
    expect(await leases.take('lane:0', 'third', 50)).toBe('free');
  });
});

describe('what was there when its worker died', () => {
  const { cut } = createSuspects({
    runner: { run: notCalled, park: notCalled },
    operations: { count: () => Promise.resolve() },
  });
  const candidates = (deaths: readonly number[]): readonly Candidate[] =>
    deaths.map((interruptions) => {
      const operation = { ...(interruptions > 0 && { interruptions }) } as OperationDoc;
      return { one: { operation, bound: {} as BoundDoc['bound'] }, resources: [] };
    });
  const many = (deaths: number) => Array.from({ length: 743 }, () => deaths);

  it('is tried again in groups that shrink with every death, until it goes alone', () => {
    const sizes = [1, 2, 3, 4, 9].map((deaths) => cut(candidates(many(deaths))).length);
    expect(sizes).toEqual([64, 8, 1, 1, 1]);
  });

  it('does not go with those that were not there, and those are not held up by it', () => {
    expect(cut(candidates([0, 0, 1, 0]))).toHaveLength(2);
    expect(cut(candidates([1, 1, 0, 1]))).toHaveLength(2);
    expect(cut(candidates([1, 1, 1, 1, 1, 3, 1]))).toHaveLength(5);
    expect(cut(candidates([3, 1, 1]))).toHaveLength(1);
    expect(cut(candidates(many(0)))).toHaveLength(743);
    expect(cut([])).toEqual([]);
  });
});

describe('a stepwise operation that kills its worker each time', () => {
  it('is counted whoever takes it over, and ends with a human', async () => {
    const { node } = await openWorld();
    const { platform, queues, store } = node;
    const [made] = await accept(node, [create('ann')]);
    pokeAll(openSettler(node));
    await settled(node, [made] as OperationDoc[]);
    const [bomb] = await accept(node, [
      submission('notification.send', {
        channels: ['realtime'],
        userId: 'ann',
        content: { subject: 'x', text: 'y' },
      }),
    ]);
    const id = bomb?._id ?? '';
    const services = createServices(platform);
    let deaths = 0;
    const failpoint = async (name: string): Promise<void> => {
      if (name !== 'saga.after-claim') return;
      deaths += 1;
      throw new Error('it is dead');
    };
    const base = { platform, publisher: queues.publisher, hints: { announce: () => undefined } };
    const timing = { leaseMs: 30, heartbeatMs: 10, fenceMs: 5 };
    const dying = createSagas({
      ...base,
      platform: { ...platform, failpoint },
      services,
      timing,
    });
    const alive = createSagas({ ...base, services, timing: { ...timing, leaseMs: 5_000 } });
    platform.lifecycle.onClose('test sagas', async () => {
      await Promise.all([dying.heartbeat.close(), alive.heartbeat.close()]);
    });
    // Nobody sweeps: its job comes again each time, and the next worker claims it.
    await until(async () => {
      await dying.engine.run(id).catch(() => undefined);
      return deaths > LIMITS.interruptionsMax;
    }, 'it kills one worker after the other');
    await until(async () => {
      await alive.engine.run(id).catch(() => undefined);
      return (await readOperations(node, [bomb] as OperationDoc[]))[0]?.status !== 'running';
    }, 'another worker claims it');
    const parked = await readOperations(node, [bomb] as OperationDoc[]);
    expect(outcomesOf(parked)).toEqual(['needs_attention poison_operation']);
    expect(await store.countOpen(10)).toBe(0);
  });
});
