import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failpoint, noFailpoint } from '../../core/kernel/failpoint.ts';
import { createIntervene } from '../../core/operations/intervene.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { expectSoundBooks } from '../support/books.ts';
import { giftOf, order, reserve, settle } from '../support/gift.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { recover } from '../support/saga-recovery.ts';

/** Sagas without a stated point of no return, and what comes for them after their last step. */
const REGISTRY = {
  ...OPERATIONS,
  'test.gift': giftOf('test.gift', [reserve, order, settle]),
  'test.loan': giftOf('test.loan', [reserve, order]),
};
const TIMING = { leaseMs: 1_500, heartbeatMs: 300, fenceMs: 150 };
const tenant = { tenantId: 'default', currencies: [] };

let arena: Arena;
let intervene: ReturnType<typeof createIntervene>;
beforeAll(async () => {
  arena = await openArena({ registry: REGISTRY });
  const { db } = arena.mongo;
  intervene = createIntervene({
    store: createInterventionStore(db, createOutboxStore(db)),
    publisher: arena.publisher,
    lines: openLines(db, arena.publisher),
    hints: { announce: () => undefined },
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    registry: REGISTRY,
  });
});
afterAll(() => arena.close());

const cancel = (id: string) => intervene(tenant, id, { kind: 'cancel', actor: 'bob' });

let users = 0;
async function begun(type: string): Promise<{ readonly id: string; readonly userId: string }> {
  users += 1;
  const wallet = { userId: `g${String(users)}`, currency: 'EUR' };
  const { userId } = wallet;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { ...wallet, amount: 1_000 });
  const id = await arena.submit(type, { ...wallet, amount: 400, instrument: 'flowers' });
  return { id, userId };
}

function shopOf(id: string): string {
  const record = arena.sandbox.payments().find(({ key }) => key === `${id}.order`);
  if (record === undefined) return 'nothing ordered';
  return record.isVoided ? 'sent back' : 'ordered';
}

/**
 * As code before this one left it that wrote the last step and the end apart, and died in between: all
 * steps are done, and it is not over.
 */
async function dieBeforeEnd(id: string, count: number): Promise<void> {
  await arena.engine({ timing: TIMING }).engine.run(id);
  const { rev = 0 } = await arena.operation(id);
  const left = {
    status: 'running',
    rev: rev - 1,
    owner: 'dead/x',
    nextCheckAt: new Date(0),
  } as const;
  await arena.mongo.db.collection<OperationDoc>('operations', { useBigInt64: true }).updateOne(
    { _id: id as OperationDoc['_id'] },
    {
      $set: { ...left, leaseUntil: new Date(0) },
      $unset: { completedAt: '', result: '', settledBy: '' },
    },
  );
  await arena.mongo.db.collection('outbox').deleteMany({ 'turns.operationId': id });
  const { steps = [], status } = await arena.operation(id);
  expect([status, steps.map((step) => step.status)]).toEqual([
    'running',
    Array.from({ length: count }, () => 'done'),
  ]);
}

const set = (id: string, fields: Partial<OperationDoc>) =>
  arena.mongo.db
    .collection<OperationDoc>('operations', { useBigInt64: true })
    .updateOne({ _id: id as OperationDoc['_id'] }, { $set: fields });

describe('a saga whose steps are all done, its worker dead before the finishing write', () => {
  it('is not canceled: the money must not come back while the shop keeps it', async () => {
    const { id, userId } = await begun('test.gift');
    await dieBeforeEnd(id, 3);
    await expect(cancel(id)).rejects.toMatchObject({ code: 'not_cancelable' });
    await recover(arena, id, TIMING);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect((await arena.wallet(userId)).balance).toBe(600n);
    expect(shopOf(id)).toBe('ordered');
    await expectSoundBooks(arena.mongo.db);
  });

  it('is not late: its deadline passes after the work', async () => {
    const { id, userId } = await begun('test.gift');
    await dieBeforeEnd(id, 3);
    await set(id, { deadline: new Date(0) });
    await recover(arena, id, TIMING);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect((await arena.wallet(userId)).balance).toBe(600n);
  });
});

describe('a cancel that is taken while the last step is under way', () => {
  /** Cancels between the answer of the shop and whatever is written next. */
  const cancelingAfterCall = (id: string) => {
    let answer: Promise<unknown> | undefined;
    const failpoint: Failpoint = async (name) => {
      const { steps = [] } = await arena.operation(id);
      const isOrdering = steps.at(-1)?.name === 'order';
      if (name !== 'saga.after-call' || !isOrdering || answer !== undefined) return;
      answer = cancel(id).catch((error: unknown) => error);
      await answer;
    };
    return { failpoint, answer: () => answer };
  };

  it('is honoured, for what has been done can be taken back', async () => {
    const { id, userId } = await begun('test.loan');
    const canceling = cancelingAfterCall(id);
    await arena.engine({ failpoint: canceling.failpoint }).engine.run(id);
    expect(await canceling.answer()).toMatchObject({ status: 'running' }); // that is 202
    expect(await arena.operation(id)).toMatchObject({ status: 'canceled' });
    expect((await arena.wallet(userId)).balance).toBe(1_000n);
    expect(shopOf(id)).toBe('sent back');
    await expectSoundBooks(arena.mongo.db);
  });

  it('is honoured before the last step begins, though nothing would take that one back', async () => {
    const { id, userId } = await begun('test.gift');
    const canceling = cancelingAfterCall(id);
    await arena.engine({ failpoint: canceling.failpoint }).engine.run(id);
    expect(await canceling.answer()).toMatchObject({ status: 'running' });
    expect(await arena.operation(id)).toMatchObject({ status: 'canceled' });
    expect((await arena.wallet(userId)).balance).toBe(1_000n);
    expect(shopOf(id)).toBe('sent back');
  });

  it('comes too late for a last step that nothing takes back, and says so', async () => {
    const { compensate: _compensate, ...call } = order;
    const final = { ...call, compensate: 'none-needed: for tests' } as const;
    const registry = { ...REGISTRY, 'test.loan': giftOf('test.loan', [reserve, final]) };
    const { id, userId } = await begun('test.loan');
    const canceling = cancelingAfterCall(id);
    await arena.engine({ failpoint: canceling.failpoint, registry }).engine.run(id);
    expect(await canceling.answer()).toMatchObject({ code: 'not_cancelable' });
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect((await arena.wallet(userId)).balance).toBe(600n);
    await arena.engine({ failpoint: noFailpoint }).engine.run(id); // and nothing more comes of it
    expect(shopOf(id)).toBe('ordered');
  });
});
