import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failpoint, type FailpointName } from '../../core/kernel/failpoint.ts';
import { newToken } from '../../core/kernel/ids.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { recover } from '../support/saga-recovery.ts';
import { expectSoundBooks } from '../support/books.ts';

/** Short leases, so that hundreds of crashes are repaired within a minute. */
const TIMING = { leaseMs: 1_500, heartbeatMs: 300, fenceMs: 150 };
/** For the run that counts the edges: a slow machine must not fence it out. */
const UNHURRIED = { leaseMs: 30_000, heartbeatMs: 5_000, fenceMs: 1_000 };

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
  const key = { _id: 'taken0001', tenantId: 'another', hash: 'x'.repeat(43), scopes: ['admin'] };
  await arena.mongo.db.collection<typeof key>('api_keys').insertOne(key);
});
afterAll(() => arena.close());

class Crash extends Error {}

/** A place where a worker may die: the n-th pass through a failpoint. */
interface Edge {
  readonly name: FailpointName;
  readonly pass: number;
}

/** Dies at an edge; whatever it tries afterwards dies as well. */
function dyingAt(edge: Edge): { failpoint: Failpoint; hasDied: () => boolean } {
  let [passes, hasDied] = [0, false];
  return {
    hasDied: () => hasDied,
    failpoint: (name) => {
      if (name === edge.name) passes += 1;
      hasDied ||= passes >= edge.pass;
      if (hasDied) throw new Crash();
    },
  };
}

function noteEdges(): { failpoint: Failpoint; edges: readonly Edge[] } {
  const edges: Edge[] = [];
  const failpoint: Failpoint = (name) => {
    const pass = edges.filter((edge) => edge.name === name).length + 1;
    edges.push({ name, pass });
  };
  return { failpoint, edges };
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
  /** What the client is told of it. */
  readonly result?: (id: string) => unknown;
  readonly after?: (id: string, place: string) => Promise<void>;
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
    result: referenceOf('capture'),
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
    result: referenceOf('payout'),
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
  {
    name: 'tenant.provision',
    begin: () =>
      provision(() =>
        newToken()
          .replaceAll(/[^A-Za-z0-9]/g, '0')
          .slice(0, 16),
      ),
    status: 'succeeded',
    balance: 0n,
    moved: 0,
    after: expectTenant('active', 1),
  },
  {
    name: 'tenant.provision under a key id that is taken',
    begin: () => provision(() => 'taken0001'),
    status: 'compensated',
    balance: 0n,
    moved: 0,
    after: expectTenant('abandoned', 0),
  },
];

let tenants = 0;
async function provision(keyId: () => string): Promise<{ id: string; userId: string }> {
  tenants += 1;
  const tenant = `tenant-${String(tenants)}`;
  const userId = await newUser(0);
  const firstKey = { id: keyId(), secretHash: 'h'.repeat(43) };
  const input = { tenant, currencies: ['EUR'], firstKey };
  return { userId, id: await arena.submit('tenant.provision', input) };
}

/** As the provider knows it, also where it was asked for after a death. */
function referenceOf(step: string) {
  return (id: string): unknown => {
    const record = arena.sandbox.payments().find(({ key }) => key === `${id}.${step}`);
    return { reference: record?.reference ?? 'there is no such payment' };
  };
}

/** The tenant stands as it should, with its keys, and nothing of it twice. */
function expectTenant(status: string, keys: number) {
  return async (id: string, place: string): Promise<void> => {
    const { input } = await arena.operation(id);
    const { tenant } = input as { tenant: string };
    const { db } = arena.mongo;
    const found = await db.collection<{ _id: string }>('tenants').findOne({ _id: tenant });
    expect(found, place).toMatchObject({ status, provisionedBy: id });
    const live = { tenantId: tenant, revokedAt: { $exists: false } };
    expect(await db.collection('api_keys').countDocuments(live), place).toBe(keys);
  };
}

function movedOutside(id: string): number {
  return arena.sandbox.payments().filter(({ key, kind, status, isVoided }) => {
    const isFinal = kind === 'captures' || kind === 'payouts';
    return key.startsWith(id) && isFinal && status === 'succeeded' && !isVoided;
  }).length;
}

describe.each(SCENARIOS)('a $name', (scenario) => {
  it('ends the same whatever edge its worker dies at', { timeout: 180_000 }, async () => {
    const noting = noteEdges();
    const probe = await scenario.begin();
    await arena.engine({ timing: UNHURRIED, failpoint: noting.failpoint }).engine.run(probe.id);
    expect((await arena.operation(probe.id)).status).toBe(scenario.status);

    const died: Edge[] = [];
    const crashAndRecover = async (edge: Edge): Promise<void> => {
      const { id, userId } = await scenario.begin();
      const dying = dyingAt(edge);
      const victim = arena.engine({ timing: TIMING, failpoint: dying.failpoint });
      await victim.engine.run(id).catch(() => undefined); // it dies
      await victim.heartbeat.close();
      if (dying.hasDied()) died.push(edge);
      await recover(arena, id, TIMING);
      const place = `died at pass ${String(edge.pass)} of ${edge.name}`;
      const operation = await arena.operation(id);
      expect([operation.status, operation.error?.detail], place).toEqual([
        scenario.status,
        scenario.status === 'succeeded' ? undefined : expect.any(String),
      ]);
      if (scenario.result !== undefined) {
        expect(operation.result, place).toEqual(scenario.result(id));
      }
      expect((await arena.wallet(userId)).balance, place).toBe(scenario.balance);
      expect((await arena.wallet(userId)).lockedBalance, place).toBe(0n);
      expect(movedOutside(id), place).toBe(scenario.moved);
      await scenario.after?.(id, place);
    };
    for (let start = 0; start < noting.edges.length; start += 6) {
      await Promise.all(noting.edges.slice(start, start + 6).map(crashAndRecover));
    }
    await expectSoundBooks(arena.mongo.db);
    // A victim that is slow may be fenced out before it comes to its edge.
    expect(died.length).toBeGreaterThan(noting.edges.length / 2);
  });
});
