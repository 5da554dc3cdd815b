import { describe, expect, it, onTestFinished } from 'vitest';
import { type Waiters, createOutcomeWaiters } from '../../../../api/writes/outcome-waiters.ts';
import { LIMITS } from '../../../../config/limits.ts';
import { systemClock } from '../../../../core/kernel/clock.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';
import { until } from '../../../support/wait.ts';
import { allOf } from '../../../../core/kernel/every.ts';

const tenant = { tenantId: 'default', currencies: [] };
const logger = createLogger({ level: 'silent', service: 'test' });

interface Bench {
  readonly waiters: Waiters;
  readonly settled: Set<string>;
  readonly reads: (readonly string[])[];
  readonly state: { isHinted: boolean; isAway: boolean };
}

/** Waiters over a store that is a set of ids. */
function open(): Bench {
  const settled = new Set<string>();
  const reads: (readonly string[])[] = [];
  const state = { isHinted: true, isAway: false };
  const waiters = createOutcomeWaiters({
    readMany: async (scope, ids) => {
      expect(scope).toBe(tenant);
      reads.push(ids);
      if (state.isAway) throw new Error('the database is away');
      return ids.flatMap((_id) => (settled.has(_id) ? [documentOf(_id)] : []));
    },
    isHinted: () => state.isHinted,
    clock: systemClock,
    logger,
  });
  onTestFinished(() => waiters.close());
  return { waiters, settled, reads, state };
}

function documentOf(_id: string): OperationDoc {
  return { _id, status: 'succeeded' } as OperationDoc; // what waiters look at
}

/** Every request has a signal of its own. */
const wait = (
  waiters: Waiters,
  id: string,
  timeoutMs = 10_000,
  { signal } = new AbortController(),
) => waiters.wait(tenant, id, { timeoutMs, signal });

describe('a request that waits', () => {
  it('is told at once by a hint, once it is true', async () => {
    const { waiters, settled, reads } = open();
    const startedMs = performance.now();
    const outcome = wait(waiters, 'op_1');
    settled.add('op_1');
    waiters.hint(['op_1', 'op_2']);
    expect(await outcome).toMatchObject({ _id: 'op_1' });
    expect(performance.now() - startedMs).toBeLessThan(200);
    expect(reads).toEqual([['op_1']]);
  });

  it('is told by a hint that came before it began to wait', async () => {
    const { waiters, settled } = open();
    settled.add('op_1');
    waiters.hint(['op_1']);
    expect(await wait(waiters, 'op_1', 240)).toMatchObject({ _id: 'op_1' });
  });

  it('is not fooled by a hint that is not true yet', async () => {
    const { waiters, settled, reads } = open();
    const outcome = wait(waiters, 'op_1');
    waiters.hint(['op_1']);
    await until(() => reads.length === 1, 'the hint is looked at');
    settled.add('op_1');
    expect(await outcome).toMatchObject({ _id: 'op_1' }); // by the poll
  });

  it('finds out by itself without hints, all in one look', async () => {
    const { waiters, settled, reads, state } = open();
    state.isHinted = false;
    for (const id of ['op_1', 'op_2', 'op_3']) settled.add(id);
    const outcomes = await Promise.all(['op_1', 'op_2', 'op_3'].map((id) => wait(waiters, id)));
    expect(outcomes.map((one) => one?._id)).toEqual(['op_1', 'op_2', 'op_3']);
    expect(reads).toEqual([['op_1', 'op_2', 'op_3']]);
  });

  it('survives a database that is away for a while', async () => {
    const { waiters, settled, state, reads } = open();
    state.isHinted = false;
    state.isAway = true;
    settled.add('op_1');
    const outcome = wait(waiters, 'op_1');
    waiters.hint(['op_1']);
    await until(() => reads.length >= 2, 'two looks have failed');
    state.isAway = false;
    expect(await outcome).toMatchObject({ _id: 'op_1' });
  });

  it('gets nothing when the time is over, the client gone, or the server closes', async () => {
    const { waiters } = open();
    expect(await wait(waiters, 'op_1', 20)).toBeUndefined();
    const gone = new AbortController();
    const abandoned = wait(waiters, 'op_1', 10_000, gone);
    gone.abort();
    expect(await abandoned).toBeUndefined();
    const closing = wait(waiters, 'op_1');
    await waiters.close();
    expect(await closing).toBeUndefined();
    expect(await wait(waiters, 'op_1')).toBeUndefined();
  });

  it('is one of several for the same operation', async () => {
    const { waiters, settled } = open();
    const gone = new AbortController();
    const [first, second, third] = [
      wait(waiters, 'op_1'),
      wait(waiters, 'op_1', 10_000, gone),
      wait(waiters, 'op_1'),
    ];
    gone.abort();
    settled.add('op_1');
    waiters.hint(['op_1']);
    const outcomes = await Promise.all([first, second, third]);
    expect(outcomes.map((one) => one?._id)).toEqual(['op_1', undefined, 'op_1']);
  });

  it('is sent away when too many wait already, and only then', async () => {
    const { waiters, settled } = open();
    const many = Array.from({ length: LIMITS.waitersMax }, (_, index) =>
      wait(waiters, `op_${index}`),
    );
    expect(await wait(waiters, 'op_0')).toBeUndefined();
    for (let index = 0; index < many.length; index += 1) settled.add(`op_${index}`);
    waiters.hint([...settled]);
    expect(allOf(await Promise.all(many), (one) => one !== undefined)).toBe(true);
    waiters.hint(['op_0']);
    expect(await wait(waiters, 'op_0')).toMatchObject({ _id: 'op_0' });
  });
});
