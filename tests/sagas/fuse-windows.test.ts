import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failpoint, noFailpoint } from '../../core/kernel/failpoint.ts';
import { createIntervene } from '../../core/operations/intervene.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { RISK_SIGNAL } from '../../core/operation-types/withdrawal.ts';
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import { openLines } from '../../core/operations/lines.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { expectSoundBooks } from '../support/books.ts';
import { giftOf, order, reserve, settle } from '../support/gift.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { recover } from '../support/saga-recovery.ts';

/** Each moment between two writes of a saga, and a worker that dies in it. */
const TIMING = { leaseMs: 1_500, heartbeatMs: 300, fenceMs: 150 };
const once = { ...order, redo: 'never' } as const;
const REGISTRY = {
  ...OPERATIONS,
  'test.once': giftOf('test.once', [reserve, once, settle]),
};

let arena: Arena;
beforeAll(async () => {
  arena = await openArena({ registry: REGISTRY });
});
afterAll(() => arena.close());

let users = 0;
async function payment(extra: Record<string, unknown> = {}) {
  users += 1;
  const userId = `f${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { userId, currency: 'EUR', amount: 1_000 });
  return { userId, currency: 'EUR', amount: 400, instrument: 'card', ...extra };
}

class Died extends Error {}

/** Runs it by a worker that dies at the n-th pass of a failpoint, and says what is stored then. */
async function leftBy(id: string, point: string, pass: number): Promise<OperationDoc> {
  let [passes, isDead] = [0, false];
  const failpoint: Failpoint = (name) => {
    if (name === point) passes += 1;
    isDead ||= passes >= pass;
    if (isDead) throw new Died();
  };
  const { engine, heartbeat } = arena.engine({ timing: TIMING, failpoint });
  await engine.run(id).catch(() => undefined);
  await heartbeat.close();
  expect(isDead).toBe(true);
  return arena.operation(id);
}

const stepsOf = ({ steps = [] }: OperationDoc) =>
  steps.map(({ name, status }) => `${name} ${status}`);
const calls = (id: string) =>
  arena.sandbox.payments().flatMap(({ key, kind }) => (key.startsWith(id) ? [kind] : []));

const AUTHORISING = ['check done', 'authorise started'];
const CAPTURING = ['check done', 'authorise done', 'capture started'];

/** What stands when a deposit's worker dies, and what the provider has heard by then. */
const WINDOWS = [
  ['after its claim', 'saga.after-claim', 1, [], []],
  ['before {checked, authorising} commits', 'saga.before-commit', 1, [], []],
  ['after {checked, authorising}', 'saga.after-commit', 1, AUTHORISING, []],
  ['after the authorisation', 'saga.after-call', 1, AUTHORISING, ['authorisations']],
  ['before {authorised, capturing}', 'saga.before-journal', 1, AUTHORISING, ['authorisations']],
  ['after {authorised, capturing}', 'saga.after-journal', 1, CAPTURING, ['authorisations']],
  ['after the capture', 'saga.after-call', 2, CAPTURING, ['authorisations', 'captures']],
  ['after the look at the bonus', 'saga.after-call', 3, CAPTURING, ['authorisations', 'captures']],
  [
    ...(['inside {captured, credited, told, ended}', 'saga.in-transaction', 2] as const),
    ...([CAPTURING, ['authorisations', 'captures']] as const),
  ],
] as const;

describe('a deposit whose worker dies', () => {
  it.each(WINDOWS)('%s is found there, and finished', async (...window) => {
    const [, point, pass, steps, heard] = window;
    const input = await payment();
    const id = await arena.submit('deposit', input);
    const left = await leftBy(id, point, pass);
    expect(stepsOf(left)).toEqual(steps);
    expect(calls(id)).toEqual(heard);
    await recover(arena, id, TIMING);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect(calls(id)).toEqual(['authorisations', 'captures']);
    expect((await arena.wallet(input.userId)).balance).toBe(1_400n);
    await expectSoundBooks(arena.mongo.db);
  });
});

describe('the outcome of a call that must not be repeated', () => {
  it('is stored before anything else is tried, and a death in the ledger loses nothing of it', async () => {
    const input = await payment();
    const id = await arena.submit('test.once', input);
    const left = await leftBy(id, 'saga.in-transaction', 2);
    expect(stepsOf(left)).toEqual(['reserve done', 'order done']);
    await recover(arena, id, TIMING, { registry: REGISTRY });
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect(calls(id)).toEqual(['authorisations']);
  });
});

describe('what is refused within a write', () => {
  it('is followed by no call whose intent was to stand in it', async () => {
    const id = await arena.submit('withdrawal', await payment({ amount: 4_000 }));
    await arena.engine().engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'rejected' });
    expect(calls(id)).toEqual([]);
  });
});

describe('a person’s word', () => {
  it('counts when it comes while a worker looks whether the time for it is over', async () => {
    const { db } = arena.mongo;
    const tenants = db.collection<{ _id: string }>('tenants');
    const policy = { currency: 'EUR', withdrawalRisk: { review: '100' } };
    await tenants.updateOne({ _id: 'default' }, { $set: { policies: [policy] } }, { upsert: true });
    const intervene = createIntervene({
      store: createInterventionStore(db, createOutboxStore(db)),
      lines: openLines(db, arena.publisher),
      publisher: arena.publisher,
      hints: { announce: () => undefined },
      logger: createLogger({ level: 'silent', service: 'test' }),
      metrics: createMetrics(),
      registry: REGISTRY,
    });
    const input = await payment();
    const id = await arena.submit('withdrawal', input);
    await arena.engine().engine.run(id);
    expect((await arena.operation(id)).status).toBe('waiting');
    await db
      .collection<OperationDoc>('operations', { useBigInt64: true })
      .updateOne(
        { _id: id as OperationDoc['_id'] },
        { $set: { status: 'accepted', 'steps.1.waitingFor.until': new Date(0) } },
      );
    let hasSpoken = false;
    const failpoint: Failpoint = async (name) => {
      if (name !== 'saga.after-call' || hasSpoken) return;
      hasSpoken = true;
      const action = { kind: 'signal', name: RISK_SIGNAL, data: { approve: true } } as const;
      await intervene({ tenantId: 'default', currencies: [] }, id, { ...action, actor: 'ann' });
    };
    await arena.engine({ failpoint }).engine.run(id);
    await arena.engine({ failpoint: noFailpoint }).engine.run(id);
    expect(hasSpoken).toBe(true);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect((await arena.wallet(input.userId)).balance).toBe(600n);
    await tenants.updateOne({ _id: 'default' }, { $unset: { policies: 1 } });
  });
});
