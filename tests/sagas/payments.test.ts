import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../core/ledger/verify/verify-store.ts';
import { ledgerRules } from '../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

let users = 0;
async function newUser(balance = 0): Promise<string> {
  users += 1;
  const userId = `u${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  const credit = { userId, currency: 'EUR', amount: balance };
  if (balance > 0) await arena.submit('wallet.credit', credit);
  return userId;
}

const payment = (userId: string, amount: number) => ({
  userId,
  currency: 'EUR',
  amount,
  instrument: 'card_1',
});

describe('a deposit', () => {
  it('is authorised, captured and credited', async () => {
    const userId = await newUser();
    const id = await arena.submit('deposit', payment(userId, 500));
    await arena.engine().engine.run(id);
    const operation = await arena.operation(id);
    expect(operation.error).toBeUndefined();
    expect(operation.status).toBe('succeeded');
    expect(operation.steps?.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'check done',
      'authorise done',
      'capture done',
      'credit done',
      'bonus-rule done',
      'bonus done',
      'notify done',
    ]);
    expect((await arena.wallet(userId)).balance).toBe(500n);
  });

  it('that the provider declines is rejected without a trace in the ledger', async () => {
    const userId = await newUser();
    arena.sandbox.inject({ on: 'authorisations', kind: 'decline' });
    const id = await arena.submit('deposit', payment(userId, 500));
    await arena.engine().engine.run(id);
    const operation = await arena.operation(id);
    expect(operation).toMatchObject({ status: 'rejected', error: { code: 'payment_declined' } });
    expect((await arena.wallet(userId)).seq).toBe(0);
  });

  it('whose capture is refused voids the authorisation and ends as compensated', async () => {
    const userId = await newUser();
    arena.sandbox.inject({ on: 'captures', kind: 'decline' });
    const id = await arena.submit('deposit', payment(userId, 500));
    await arena.engine().engine.run(id);
    expect((await arena.operation(id)).status).toBe('compensated');
    const record = arena.sandbox.payments().find(({ key }) => key === `${id}.authorise`);
    expect(record?.isVoided).toBe(true);
  });

  it('pays the bonus of the tenant with the deposit', async () => {
    const userId = await newUser();
    const policy = { currency: 'EUR', depositBonus: { basisPoints: 1_000, max: '30' } };
    const tenants = arena.mongo.db.collection<{ _id: string }>('tenants');
    await tenants.updateOne({ _id: 'default' }, { $set: { policies: [policy] } }, { upsert: true });
    const id = await arena.submit('deposit', payment(userId, 500));
    await arena.engine().engine.run(id);
    expect(await arena.wallet(userId)).toMatchObject({ balance: 500n, bonusBalance: 30n });
    await tenants.updateOne({ _id: 'default' }, { $unset: { policies: 1 } });
  });

  it('rounds a bonus down, so that nobody is given a unit that the rule does not give', async () => {
    const userId = await newUser();
    const policy = { currency: 'EUR', depositBonus: { basisPoints: 1_000, max: '30' } };
    const tenants = arena.mongo.db.collection<{ _id: string }>('tenants');
    await tenants.updateOne({ _id: 'default' }, { $set: { policies: [policy] } }, { upsert: true });
    const id = await arena.submit('deposit', payment(userId, 15));
    await arena.engine().engine.run(id);
    expect(await arena.wallet(userId)).toMatchObject({ balance: 15n, bonusBalance: 1n });
    await tenants.updateOne({ _id: 'default' }, { $unset: { policies: 1 } });
  });
});

describe('a withdrawal', () => {
  it('holds, pays out and captures', async () => {
    const userId = await newUser(1_000);
    const id = await arena.submit('withdrawal', payment(userId, 400));
    await arena.engine().engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 600n, lockedBalance: 0n });
  });

  it('that the provider declines releases the hold', async () => {
    const userId = await newUser(1_000);
    arena.sandbox.inject({ on: 'payouts', kind: 'decline' });
    const id = await arena.submit('withdrawal', payment(userId, 400));
    await arena.engine().engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'compensated' });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 1_000n, lockedBalance: 0n });
  });

  it('whose answer is lost is asked about and not paid twice', async () => {
    const userId = await newUser(1_000);
    arena.sandbox.inject({ on: 'payouts', kind: 'effect-then-error' });
    const id = await arena.submit('withdrawal', payment(userId, 400));
    await arena.engine().engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    const record = arena.sandbox.payments().find(({ key }) => key === `${id}.payout`);
    expect(record?.deliveries).toBe(1);
  });

  it('takes money that expired holds keep, which stay expired when it comes to nothing', async () => {
    const userId = await newUser(1_000);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await arena.submit('hold.place', { userId, currency: 'EUR', amount: 600, expiresAt });
    await arena.submit('hold.place', { userId, currency: 'EUR', amount: 100 });
    const { db } = arena.mongo;
    const lapsed = { userId, amount: 600n };
    await db.collection('holds').updateOne(lapsed, { $set: { expiresAt: new Date(0) } });
    arena.sandbox.inject({ on: 'payouts', kind: 'decline' });
    const declined = await arena.submit('withdrawal', payment(userId, 900));
    await arena.engine().engine.run(declined);
    expect(await arena.operation(declined)).toMatchObject({ status: 'compensated' });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 1_000n, lockedBalance: 100n });
    const id = await arena.submit('withdrawal', payment(userId, 900));
    await arena.engine().engine.run(id);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 100n, lockedBalance: 100n });
    const { violations } = await verifyLedger(db, { rules: ledgerRules(OPERATIONS) });
    expect(violations).toEqual([]);
  });

  it('without the money is rejected', async () => {
    const userId = await newUser(10);
    const id = await arena.submit('withdrawal', payment(userId, 400));
    await arena.engine().engine.run(id);
    const error = { code: 'insufficient_funds' };
    expect(await arena.operation(id)).toMatchObject({ status: 'rejected', error });
  });
});

describe('a hold of the client', () => {
  it('is placed and released over a clearing wallet that is there already', async () => {
    const userId = await newUser(1_000);
    const place = { userId, currency: 'EUR', amount: 100 };
    await arena.submit('hold.place', place);
    const id = await arena.submit('hold.place', place);
    const released = await arena.submit('hold.release', { holdId: `hld_${id.slice(3)}` });
    expect(await arena.operation(released)).toMatchObject({ status: 'succeeded' });
    expect(await arena.wallet(userId)).toMatchObject({ lockedBalance: 100n });
  });
});
