import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failpoint } from '../../core/kernel/failpoint.ts';
import { refuse } from '../../core/kernel/result.ts';
import type { EntryDoc } from '../../core/ledger/documents.ts';
import { verifyLedger } from '../../core/ledger/verify/verify-store.ts';
import { ledgerRules } from '../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry, OperationDefinition } from '../../core/operations/define.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { type SagaPlan, refusedCall } from '../../core/operations/step.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { expectEventsFit } from '../support/events-fit.ts';
import { recover } from '../support/saga-recovery.ts';

/** Every stepwise type is tested here by being registered: its definition brings the example. */
const registry: Registry = OPERATIONS;
const STEPWISE = Object.values(registry).filter(({ mode }) => mode === 'stepwise');

/** Short leases, so that many crashes are repaired within a minute. */
const TIMING = { leaseMs: 900, heartbeatMs: 200, fenceMs: 150 };
/** Where nothing crashes: a slow machine must not fence it out. */
const UNHURRIED = { leaseMs: 30_000, heartbeatMs: 5_000, fenceMs: 1_000 };
const AT_ONCE = 6;

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

let names = 0;
async function begin({ type, example }: OperationDefinition): Promise<string> {
  names += 1;
  const name = `n${String(names)}`;
  await arena.submit('user.create', { userId: name, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { userId: name, currency: 'EUR', amount: 100_000 });
  return arena.submit(type, example?.(name));
}

class Crash extends Error {}

/** Dies at its n-th pass through any failpoint; whatever it tries afterwards dies as well. */
function counting(dieAt = Number.POSITIVE_INFINITY) {
  let passes = 0;
  const failpoint: Failpoint = () => {
    passes += 1;
    if (passes >= dieAt) throw new Crash();
  };
  return { failpoint, passes: () => passes };
}

/** What it has left in the ledger, whoever's it is. */
async function effectOf(id: string): Promise<readonly string[]> {
  const entries = await arena.mongo.db
    .collection<EntryDoc>('transactions', { useBigInt64: true })
    .find({ operationId: id as OperationDoc['_id'] })
    .toArray();
  return entries
    .map(({ leg, direction, balanceType, amount }) =>
      [leg, direction, balanceType, amount].map(String).join(' '),
    )
    .sort();
}

/** The results of an operation and its steps but for their texts, which differ from one to the next. */
function toldBy({ result, steps = [] }: OperationDoc) {
  const shapeOf = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value ?? null, (_key, one: unknown) =>
        typeof one === 'string' ? 'text' : one,
      ),
    );
  return {
    result: shapeOf(result),
    steps: steps.map(({ name, result: own }) => [name, shapeOf(own)]),
  };
}

async function expectSoundLedger(): Promise<void> {
  const { violations } = await verifyLedger(arena.mongo.db, { rules: ledgerRules(registry) });
  expect(violations).toEqual([]);
}

/** The plan with one step that refuses. */
function refusingAt({ steps, ...plan }: SagaPlan, at: number): SagaPlan {
  const error = { code: 'canceled', detail: 'refused on request' } as const;
  const changed = steps.map((step, index) => {
    if (index !== at) return step;
    return step.kind === 'ledger'
      ? { ...step, decide: () => refuse(error.code, error.detail) }
      : { ...step, run: async () => refusedCall(error) };
  });
  return { ...plan, steps: changed };
}

describe.each(STEPWISE)('$type', { timeout: 180_000 }, (definition) => {
  const steps = definition.saga?.steps ?? [];
  const pivot = steps.findIndex(({ isPivot }) => isPivot === true);
  const mayRefuse = steps.slice(0, (pivot === -1 ? steps.length - 1 : pivot) + 1);

  it('has an example, which succeeds and moves money or not as it says', async () => {
    expect(definition.example).toBeTypeOf('function');
    const id = await begin(definition);
    await arena.engine({ timing: UNHURRIED }).engine.run(id);
    const { status, error } = await arena.operation(id);
    expect({ status, error }).toEqual({ status: 'succeeded', error: undefined });
    const { movesMoney } = definition;
    if (movesMoney !== undefined) expect((await effectOf(id)).length > 0).toBe(movesMoney);
    await expectSoundLedger();
  });

  it('ends the same at whatever edge its worker dies', async () => {
    const { failpoint, passes } = counting();
    const probe = await begin(definition);
    await arena.engine({ timing: UNHURRIED, failpoint }).engine.run(probe);
    const expected = await effectOf(probe);
    const told = toldBy(await arena.operation(probe));
    const crashAndRecover = async (pass: number): Promise<void> => {
      const id = await begin(definition);
      const dying = counting(pass);
      const victim = arena.engine({ timing: TIMING, failpoint: dying.failpoint });
      await victim.engine.run(id).catch(() => undefined); // it dies
      await victim.heartbeat.close();
      await recover(arena, id, TIMING);
      const ended = await arena.operation(id);
      const { status } = ended;
      const effect = await effectOf(id);
      expect({ pass, status, effect }).toEqual({ pass, status: 'succeeded', effect: expected });
      expect({ pass, ...toldBy(ended) }).toEqual({ pass, ...told });
    };
    const all = Array.from({ length: passes() }, (_, index) => index + 1);
    expect(all.length).toBeGreaterThan(3);
    for (let start = 0; start < all.length; start += AT_ONCE) {
      await Promise.all(all.slice(start, start + AT_ONCE).map(crashAndRecover));
    }
    await expectSoundLedger();
  });

  it.each(mayRefuse.map(({ name }, at) => ({ name, at })))(
    'leaves nothing behind when $name refuses',
    async ({ at }) => {
      const { saga } = definition;
      const plan = saga === undefined ? {} : { saga: refusingAt(saga, at) };
      const refusing = { ...registry, [definition.type]: { ...definition, ...plan } };
      const id = await begin(definition);
      await arena.engine({ timing: UNHURRIED, registry: refusing }).engine.run(id);
      const { status, error } = await arena.operation(id);
      expect(['rejected', 'compensated']).toContain(status);
      expect(error?.detail).toBe('refused on request');
      await expectSoundLedger(); // it asks that what was posted nets to zero
    },
  );
});

describe('what they tell', () => {
  it('is in the catalogue of events, with the data that stands there', async () => {
    const names = await expectEventsFit(arena.mongo.db);
    expect([...names]).toEqual(expect.arrayContaining(['deposit.settled', 'tenant.provisioned']));
  });
});
