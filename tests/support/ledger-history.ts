import { BSON } from 'mongodb';
import { systemClock } from '../../core/kernel/clock.ts';
import { createTenantSetup } from '../../core/provisioning/tenant-services-store.ts';
import { collection } from '../../core/infra/collections.ts';
import type { Arena } from './saga-arena.ts';

const EUR = { currency: 'EUR' };

const hold = (id: string): string => `hld_${id.slice(3)}`;
const trf = (id: string): string => `trf_${id.slice(3)}`;

/** Everything that operations can do to wallets, holds and transfers. */
export async function liveThrough(arena: Arena): Promise<void> {
  await openPeople(arena);
  await moveMoney(arena);
  await holdFunds(arena);
  await setWallets(arena);
  await batch(arena);
  await payOutside(arena);
  await provision(arena);
}

async function openPeople(arena: Arena): Promise<void> {
  const wallets = [{ ...EUR, overdraftLimit: '700' }, { currency: 'JPY' }];
  for (const userId of ['ann', 'bob', 'cyd', 'dan']) {
    await arena.submit('user.create', { userId, displayName: userId, wallets });
    await arena.submit('wallet.credit', { userId, ...EUR, amount: '100000', fee: '3' });
  }
  await arena.submit('wallet.open', { userId: 'ann', currency: 'USD', overdraftLimit: '5' });
  await arena.submit('wallet.credit', { userId: 'bob', currency: 'JPY', amount: '900' });
  await arena.submit('user.create', { userId: 'eve' });
}

async function moveMoney(arena: Arena): Promise<void> {
  const pay = { fromUserId: 'ann', toUserId: 'bob', ...EUR };
  await arena.submit('transfer', { ...pay, amount: '700', fee: '9', description: 'rent' });
  const partly = await arena.submit('transfer', { ...pay, amount: '300' });
  await arena.submit('transfer.reverse', { transferId: trf(partly), amount: '100' });
  await arena.submit('transfer.reverse', { transferId: trf(partly), amount: '50' });
  const whole = await arena.submit('transfer', { ...pay, amount: '40', fee: '1' });
  await arena.submit('transfer.reverse', { transferId: trf(whole), description: 'sorry' });
  await arena.submit('transfer', { fromUserId: 'eve', toUserId: 'bob', ...EUR, amount: '1' });
  await arena.submit('bonus.award', { userId: 'cyd', ...EUR, amount: '40' });
  await arena.submit('bonus.convert', { userId: 'cyd', ...EUR, amount: '15' });
  const effectiveAt = '2026-01-01T00:00:00Z';
  await arena.submit('wallet.debit', {
    userId: 'cyd',
    ...EUR,
    amount: '77',
    fee: '3',
    effectiveAt,
  });
  await arena.submit('wallet.debit', { userId: 'cyd', ...EUR, amount: '5', balanceType: 'bonus' });
}

async function holdFunds(arena: Arena): Promise<void> {
  const place = (userId: string, amount: number, more: object = {}): Promise<string> =>
    arena.submit('hold.place', { userId, ...EUR, amount, ...more });
  await place('ann', 11);
  const partly = await place('ann', 500, { description: 'hotel' });
  await arena.submit('hold.capture', { holdId: hold(partly), amount: '120' });
  const captured = await place('bob', 50);
  await arena.submit('hold.capture', { holdId: hold(captured), amount: '20' });
  await arena.submit('hold.capture', { holdId: hold(captured), toUserId: 'cyd', ...EUR });
  const mixed = await place('bob', 60);
  await arena.submit('hold.capture', { holdId: hold(mixed), amount: '20' });
  await arena.submit('hold.release', { holdId: hold(mixed) });
  const soon = new Date(Date.now() + 300).toISOString();
  const expired = await place('cyd', 33, { expiresAt: soon });
  const wanted = await place('dan', 99_000, { expiresAt: soon });
  await place('dan', 2, { expiresAt: '2199-01-01T00:00:00Z' });
  await systemClock.sleep(350);
  await arena.submit('hold.release', { holdId: hold(expired) });
  // Wants money that a lapsed hold locks, and gives it back by entries of its own.
  await arena.submit('wallet.debit', { userId: 'dan', ...EUR, amount: '90000' });
  await arena.submit('hold.release', { holdId: hold(wanted) });
}

async function setWallets(arena: Arena): Promise<void> {
  await arena.submit('wallet.update', { userId: 'ann', ...EUR, overdraftLimit: '12' });
  await arena.submit('wallet.update', { userId: 'bob', currency: 'JPY', status: 'frozen' });
  await arena.submit('wallet.update', { userId: 'ann', currency: 'USD', status: 'closed' });
  await arena.submit('user.update', { userId: 'cyd', status: 'blocked' });
  await arena.submit('wallet.credit', { userId: 'cyd', ...EUR, amount: '2' });
  await arena.submit('user.update', { userId: 'dan', status: 'blocked' });
  await arena.submit('wallet.open', { userId: 'dan', currency: 'USD' });
  await arena.submit('user.update', { userId: 'dan', status: 'active' });
}

async function batch(arena: Arena): Promise<void> {
  const operations = [
    { type: 'user.create', input: { userId: 'fay', wallets: [{ ...EUR, overdraftLimit: '8' }] } },
    { type: 'wallet.credit', input: { userId: 'fay', ...EUR, amount: '500' } },
    {
      type: 'transfer',
      input: { fromUserId: 'fay', toUserId: 'bob', ...EUR, amount: '20', fee: '2' },
    },
    { type: 'transfer', input: { fromUserId: 'fay', toUserId: 'ann', ...EUR, amount: '7' } },
    {
      type: 'hold.place',
      input: { userId: 'fay', ...EUR, amount: '9', expiresAt: '2199-01-01T00:00:00Z' },
    },
    { type: 'hold.place', input: { userId: 'fay', ...EUR, amount: '6', description: 'six' } },
    { type: 'wallet.update', input: { userId: 'dan', currency: 'JPY', overdraftLimit: '77' } },
  ];
  const id = await arena.submit('batch', { operations });
  await arena.submit('hold.capture', { holdId: `${hold(id)}-5`, amount: '2' });
  await arena.submit('transfer.reverse', { transferId: `${trf(id)}-2`, amount: '5' });
}

async function payOutside(arena: Arena): Promise<void> {
  const payment = { userId: 'bob', ...EUR, instrument: 'card_1' };
  const run = async (type: string, amount: string): Promise<void> => {
    await arena.engine().engine.run(await arena.submit(type, { ...payment, amount }));
  };
  await run('deposit', '2500');
  await run('withdrawal', '900');
  arena.sandbox.inject({ on: 'payouts', kind: 'decline' });
  await run('withdrawal', '800');
}

/** A second tenant, whose system wallets were opened with it. */
async function provision(arena: Arena): Promise<void> {
  const { db } = arena.mongo;
  const setup = createTenantSetup(db, systemClock);
  const operationId = await arena.submit('user.create', { userId: 'setup' });
  const tenant = { tenantId: 'second', currencies: ['XTS'], operationId };
  await setup.reserve(tenant);
  await setup.prepareDatabase(tenant.tenantId);
  await setup.activate(tenant);
}

/** Every document of the three kinds, by collection and id, byte for byte. */
export async function bytesOf({ mongo }: Arena): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of ['wallets', 'transfers', 'holds'] as const) {
    for (const doc of await collection(mongo.db, name).find().toArray()) {
      found.set(`${name}/${String(doc._id)}`, Buffer.from(BSON.serialize(doc)).toString('hex'));
    }
  }
  return found;
}
