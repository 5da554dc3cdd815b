import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/kernel/clock.ts';
import { type Failpoint, type FailpointName, noFailpoint } from '../../core/kernel/failpoint.ts';
import { createRepairStore } from '../../core/recovery/repair-store.ts';
import { repairInterrupted } from '../../core/recovery/repair.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { createOutboxStore } from '../../core/saga/settle-store.ts';
import { isSettled } from '../../core/saga/status.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { expectSoundBooks } from '../support/books.ts';

/** Short leases, so that hundreds of crashes are repaired within a minute. */
const TIMING = { leaseMs: 900, heartbeatMs: 200, fenceMs: 150 };
/** For the run that counts the edges: a slow machine must not fence it out. */
const UNHURRIED = { leaseMs: 30_000, heartbeatMs: 5_000, fenceMs: 1_000 };
const HEALED_WITHIN_MS = 20_000;

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

class Crash extends Error {}

/** Dies at its n-th pass through any failpoint; whatever it tries afterwards dies as well. */
function dyingAt(pass: number): { failpoint: Failpoint; at: () => FailpointName | undefined } {
  let passes = 0;
  let at: FailpointName | undefined;
  return {
    at: () => at,
    failpoint: (name) => {
      passes += 1;
      if (passes < pass) return;
      at ??= name;
      throw new Crash();
    },
  };
}

function countPasses(): { failpoint: Failpoint; count: () => number } {
  let passes = 0;
  return {
    count: () => passes,
    failpoint: () => {
      passes += 1;
    },
  };
}

async function recover(id: string): Promise<void> {
  const { db } = arena.mongo;
  const deps = {
    repairs: createRepairStore(db, createOutboxStore(db)),
    databaseTime: () => readDatabaseTime(db),
    publisher: arena.publisher,
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    failpoint: noFailpoint,
  };
  const { engine } = arena.engine({ timing: TIMING });
  const deadline = systemClock.monotonicMs() + HEALED_WITHIN_MS;
  while (!isSettled((await arena.operation(id)).status)) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`${id} is still open`);
    await repairInterrupted(deps);
    await engine.run(id).catch(() => undefined); // busy until the lease of the dead one is over
    await systemClock.sleep(50);
  }
}

let users = 0;
async function newUser(balance: number): Promise<string> {
  users += 1;
  const userId = `c${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  const credit = { userId, currency: 'EUR', amount: balance };
  if (balance > 0) await arena.submit('wallet.credit', credit);
  return userId;
}

interface Scenario {
  readonly name: string;
  readonly begin: () => Promise<{ id: string; userId: string }>;
  readonly status: string;
  /** Of the user's wallet, and of the outside world, afterwards. */
  readonly balance: bigint;
  readonly moved: number;
}

const payment = (userId: string, instrument = 'card') => ({
  userId,
  currency: 'EUR',
  amount: 400,
  instrument,
});

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'deposit',
    begin: async () => {
      const userId = await newUser(0);
      return { userId, id: await arena.submit('deposit', payment(userId)) };
    },
    status: 'succeeded',
    balance: 400n,
    moved: 1,
  },
  {
    name: 'deposit that is canceled before its capture',
    begin: async () => {
      const userId = await newUser(0);
      return { userId, id: await arena.submit('deposit', payment(userId, 'decline-capture')) };
    },
    status: 'compensated',
    balance: 0n,
    moved: 0,
  },
  {
    name: 'withdrawal',
    begin: async () => {
      const userId = await newUser(1_000);
      return { userId, id: await arena.submit('withdrawal', payment(userId)) };
    },
    status: 'succeeded',
    balance: 600n,
    moved: 1,
  },
  {
    name: 'withdrawal that is declined',
    begin: async () => {
      const userId = await newUser(1_000);
      return { userId, id: await arena.submit('withdrawal', payment(userId, 'decline-payout')) };
    },
    status: 'compensated',
    balance: 1_000n,
    moved: 0,
  },
];

function movedOutside(id: string): number {
  return arena.sandbox.payments().filter(({ key, kind, status, isVoided }) => {
    const isFinal = kind === 'captures' || kind === 'payouts';
    return key.startsWith(id) && isFinal && status === 'succeeded' && !isVoided;
  }).length;
}

describe.each(SCENARIOS)('a $name', (scenario) => {
  it('ends the same whatever edge its worker dies at', { timeout: 180_000 }, async () => {
    const counting = countPasses();
    const probe = await scenario.begin();
    await arena.engine({ timing: UNHURRIED, failpoint: counting.failpoint }).engine.run(probe.id);
    expect((await arena.operation(probe.id)).status).toBe(scenario.status);

    const passes = Array.from({ length: counting.count() }, (_, index) => index + 1);
    const died = new Set<string>();
    const crashAndRecover = async (pass: number): Promise<void> => {
      const { id, userId } = await scenario.begin();
      const dying = dyingAt(pass);
      const victim = arena.engine({ timing: TIMING, failpoint: dying.failpoint });
      await victim.engine.run(id).catch(() => undefined); // it dies
      await victim.heartbeat.close();
      died.add(dying.at() ?? 'nowhere');
      await recover(id);
      const place = `died at pass ${String(pass)}, ${String(dying.at())}`;
      const operation = await arena.operation(id);
      expect([operation.status, operation.error?.detail], place).toEqual([
        scenario.status,
        scenario.status === 'succeeded' ? undefined : expect.any(String),
      ]);
      expect((await arena.wallet(userId)).balance, place).toBe(scenario.balance);
      expect((await arena.wallet(userId)).lockedBalance, place).toBe(0n);
      expect(movedOutside(id), place).toBe(scenario.moved);
    };
    for (let start = 0; start < passes.length; start += 6) {
      await Promise.all(passes.slice(start, start + 6).map(crashAndRecover));
    }
    await expectSoundBooks(arena.mongo.db);
    expect([...died]).toEqual(
      expect.arrayContaining(['saga.after-claim', 'saga.after-call', 'saga.before-commit']),
    );
  });
});
