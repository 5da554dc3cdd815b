import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/kernel/clock.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { PAYMENT_BREAKER } from '../../runtime/payments.ts';
import type { Fault } from '../../scripts/dev/sandbox/server.ts';
import { expectSoundBooks } from '../support/books.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { recover } from '../support/saga-recovery.ts';

const TIMING = { leaseMs: 3_000, heartbeatMs: 700, fenceMs: 500 };
/** One that is well again is found out at once. */
const BREAKER = { ...PAYMENT_BREAKER, openMs: 100, openMsMax: 200, recheckMs: 50 };

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());
afterEach(() => arena.sandbox.clear());

let users = 0;
async function newUser(balance = 0): Promise<string> {
  users += 1;
  const userId = `a${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  const credit = { userId, currency: 'EUR', amount: balance };
  if (balance > 0) await arena.submit('wallet.credit', credit);
  return userId;
}

async function begin(type: 'deposit' | 'withdrawal', instrument = 'card', extra = {}) {
  const userId = await newUser(1_000);
  const input = { userId, currency: 'EUR', amount: 400, instrument };
  return { userId, id: await arena.submit(type, input, extra) };
}

async function ended(id: string): Promise<OperationDoc> {
  await recover(arena, id, TIMING, { breaker: BREAKER });
  return arena.operation(id);
}

/** Where each call may meet it. */
const PLACES = [
  { call: 'an authorisation', type: 'deposit', on: 'authorisations' },
  { call: 'a capture', type: 'deposit', on: 'captures' },
  { call: 'a payout', type: 'withdrawal', on: 'payouts' },
  { call: 'a void', type: 'deposit', on: 'voids', instrument: 'decline-capture' },
] as const;

const endOf = ({ on }: (typeof PLACES)[number]) => (on === 'voids' ? 'compensated' : 'succeeded');

describe('a provider that asks for patience', () => {
  it.each(PLACES)(
    'more often than a step has attempts: $call waits and uses none',
    async (place) => {
      const { type, on, instrument } = { instrument: 'card', ...place };
      arena.sandbox.inject({ on, kind: 'throttle', retryAfter: '0.05', times: 18 });
      const { id } = await begin(type, instrument);
      expect(await ended(id)).toMatchObject({ status: endOf(place) });
      const { steps = [] } = await arena.operation(id);
      expect(Math.max(...steps.map(({ attempt }) => attempt))).toBe(1);
      await expectSoundBooks(arena.mongo.db);
    },
  );

  it('when it is asked what became of a payout', async () => {
    arena.sandbox.inject({ on: 'payouts', kind: 'effect-then-error' });
    arena.sandbox.inject({ on: 'payments', kind: 'throttle', retryAfter: '0.05', times: 18 });
    const { id } = await begin('withdrawal');
    expect(await ended(id)).toMatchObject({ status: 'succeeded' });
    const payouts = arena.sandbox.payments().filter(({ key }) => key === `${id}.payout`);
    expect(payouts).toMatchObject([{ deliveries: 1 }]);
  });

  const waits: readonly (readonly [string, () => Fault])[] = [
    ['seconds with 429', () => ({ on: 'payouts', kind: 'throttle', retryAfter: '2' })],
    ['a date with 429', () => ({ on: 'payouts', kind: 'throttle', retryAfter: in3Seconds() })],
    ['seconds with 503', () => ({ on: 'payouts', kind: 'error', retryAfter: '2' })],
    ['a date with 503', () => ({ on: 'payouts', kind: 'error', retryAfter: in3Seconds() })],
  ];
  it.each(waits)('gets it, whichever way it says so: %s', async (_name, fault) => {
    const { id } = await begin('withdrawal');
    arena.sandbox.inject(fault());
    const sinceMs = performance.now();
    expect(await ended(id)).toMatchObject({ status: 'succeeded' });
    // A date has no fractions of a second.
    expect(performance.now() - sinceMs).toBeGreaterThan(1_900);
  });

  it('is left alone by other operations as well', async () => {
    arena.sandbox.inject({ on: 'authorisations', kind: 'throttle', retryAfter: '30' });
    const [first, second] = [await begin('deposit'), await begin('deposit')];
    const { engine } = arena.engine();
    await engine.run(first.id);
    await engine.run(second.id);
    expect(await arena.operation(second.id)).toMatchObject({ status: 'waiting' });
    const calls = arena.sandbox.payments().filter(({ key }) => key.startsWith(second.id));
    expect(calls).toEqual([]);
  });
});

function in3Seconds(): string {
  return new Date(Date.now() + 3_000).toUTCString();
}

describe('a provider that is away', () => {
  it.each(PLACES)('for more calls than a step has attempts: $call waits for it', async (place) => {
    const { type, on, instrument } = { instrument: 'card', ...place };
    arena.sandbox.inject({ on, kind: 'error', times: 18 });
    const { id } = await begin(type, instrument);
    expect(await ended(id)).toMatchObject({ status: endOf(place) });
    await expectSoundBooks(arena.mongo.db);
  });

  it('and cannot be reached leaves a payout to be canceled, for nothing was sent', async () => {
    const { id, userId } = await begin('withdrawal');
    const { engine } = arena.engine({ payments: { url: await closedPort() } });
    const isWaiting = async () => (await arena.operation(id)).status === 'waiting';
    for (let runs = 0; runs < 100 && !(await isWaiting()); runs += 1) await engine.run(id);
    const operation = await arena.operation(id);
    expect(operation).toMatchObject({ status: 'waiting', pivotPassed: false });
    await arena.mongo.db
      .collection<{ _id: string }>('operations')
      .updateOne(
        { _id: id },
        { $set: { status: 'accepted', cancelRequested: { at: new Date(), by: 'test' } } },
      );
    await engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'canceled' });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 1_000n, lockedBalance: 0n });
  });

  it('is waited for up to the deadline of the operation, and not longer', async () => {
    const expiresAt = new Date(Date.now() + 2_000).toISOString();
    arena.sandbox.inject({ on: 'authorisations', kind: 'error', times: 1_000 });
    const { id } = await begin('deposit', 'card', { preconditions: { expiresAt } });
    expect(await ended(id)).toMatchObject({ status: 'expired' });
  });

  it('counts against a step only when it speaks of the request itself', async () => {
    const { id } = await begin('deposit');
    const key = `${id}.authorise`;
    // The key belongs to another request: 422, however often it is sent.
    await fetch(`${arena.sandbox.url}/v1/authorisations`, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: JSON.stringify({ amount: '1', currency: 'EUR', instrument: 'other' }),
    });
    const { engine } = arena.engine();
    const sinceMs = systemClock.monotonicMs();
    while (((await arena.operation(id)).steps?.at(-1)?.attempt ?? 0) < 2) {
      expect(systemClock.monotonicMs() - sinceMs).toBeLessThan(20_000);
      await engine.run(id).catch(() => undefined);
    }
  });
});

/** Where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${String(port)}`;
}
