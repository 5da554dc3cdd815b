import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { OPERATIONS } from '../../../../core/operation-types/registry.ts';
import { replay, replaysOf } from '../../../../core/ingest/replay.ts';
import { requestHashOf } from '../../../../core/ingest/request-identity.ts';
import type { Submission } from '../../../../core/ingest/submission.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { createMetrics } from '../../../../core/telemetry/metrics.ts';
import { TENANT, operationId, operationOf } from '../../../support/memory-ledger.ts';

const INPUT = { userId: 'ann', currency: 'EUR', amount: '5' };

function repeatOf(idempotencyKey: string, { tenantId = TENANT, amount = '5' } = {}) {
  const input = { ...INPUT, amount };
  const submission: Submission = {
    definition: OPERATIONS['wallet.credit'],
    ...{ input, idempotencyKey },
  };
  const context = { tenantId, correlationId: 'c' };
  return { submission, context, requestHash: requestHashOf(submission) };
}

function storedAs(idempotencyKey: string, extras: Partial<OperationDoc> = {}): OperationDoc {
  const { requestHash } = repeatOf(idempotencyKey);
  return operationOf('wallet.credit', INPUT, { idempotencyKey, requestHash, ...extras });
}

/** What is visible at each reading, the last one for good; and what was asked for, and the pauses. */
function world(readings: readonly (readonly OperationDoc[])[]) {
  const asked: (readonly string[])[] = [];
  const pauses: number[] = [];
  const store = {
    findByKeys: async (keys: readonly Pick<OperationDoc, 'tenantId' | 'idempotencyKey'>[]) => {
      const visible = readings[Math.min(asked.length, readings.length - 1)] ?? [];
      asked.push(keys.map(({ tenantId, idempotencyKey }) => `${tenantId}/${idempotencyKey}`));
      return Promise.resolve(visible);
    },
  };
  const clock = {
    ...systemClock,
    sleep: async (ms: number) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  };
  return { asked, pauses, deps: { store, clock, metrics: createMetrics() } };
}

describe('a key that is taken', () => {
  it('is read once where the first request can be seen, and waits for nothing', async () => {
    const { asked, pauses, deps } = world([[storedAs('a'), storedAs('b')]]);
    const found = await replaysOf(deps, [repeatOf('a'), repeatOf('b')]);
    expect(found.size).toBe(2);
    expect(asked).toEqual([['acme/a', 'acme/b']]);
    expect(pauses).toEqual([]);
  });

  it('whose first request is still being stored is read again, the others are not', async () => {
    const { asked, pauses, deps } = world([[storedAs('a')], [], [storedAs('b')]]);
    const found = await replaysOf(deps, [repeatOf('a'), repeatOf('b')]);
    expect(found.size).toBe(2);
    expect(asked).toEqual([['acme/a', 'acme/b'], ['acme/b'], ['acme/b']]);
    expect(pauses).toHaveLength(2);
  });

  it('that cannot be seen at all has an end: asked to send it again, nothing is made up', async () => {
    const { asked, pauses, deps } = world([[]]);
    const repeat = repeatOf('a');
    const found = await replaysOf(deps, [repeat]);
    expect(asked).toHaveLength(50);
    expect(pauses).toHaveLength(49);
    const outcome = replay(deps, repeat, found);
    if (outcome.kind !== 'refused') throw new Error('nothing was found');
    expect(outcome.error).toMatchObject({ code: 'ledger_unavailable', retryAfterSeconds: 1 });
  });

  it('asks for nothing where nothing is repeated', async () => {
    const { asked, deps } = world([[]]);
    expect((await replaysOf(deps, [])).size).toBe(0);
    expect(asked).toEqual([]);
  });
});

describe('the answer to a repeat', () => {
  it('is the operation of the first request, and is counted', async () => {
    const { deps } = world([[storedAs('a')]]);
    const outcome = replay(deps, repeatOf('a'), await replaysOf(deps, [repeatOf('a')]));
    expect(outcome).toMatchObject({ kind: 'replayed', operation: { idempotencyKey: 'a' } });
    const counted = await deps.metrics.replayed.get();
    expect(counted.values).toMatchObject([{ labels: { type: 'wallet.credit' }, value: 1 }]);
  });

  it('to a different request says which operation has the key, and what differs', async () => {
    const { deps } = world([[storedAs('a', { _id: operationId(7) })]]);
    const repeat = repeatOf('a', { amount: '6' });
    const outcome = replay(deps, repeat, await replaysOf(deps, [repeat]));
    if (outcome.kind !== 'refused') throw new Error('it differs');
    expect(outcome.error).toMatchObject({
      code: 'idempotency_conflict',
      context: { operationId: operationId(7) },
      errors: [{ pointer: '/input/amount' }],
    });
    expect(outcome.error.message).toContain(operationId(7));
    expect((await deps.metrics.replayed.get()).values).toEqual([]);
  });

  it("is never another tenant's operation of the same key", async () => {
    const { deps } = world([[storedAs('a', { tenantId: 'zen' })]]);
    const found = await replaysOf(deps, [repeatOf('a', { tenantId: 'zen' })]);
    expect(replay(deps, repeatOf('a', { tenantId: 'zen' }), found).kind).toBe('replayed');
    expect(replay(deps, repeatOf('a'), found).kind).toBe('refused');
  });
});
