import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import { newToken } from '../../core/kernel/ids.ts';
import { expectSoundBooks } from '../support/books.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

/** How often a saga that nothing disturbs is written: each write is a wait and a transaction. */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

let users = 0;
async function newUser(): Promise<string> {
  users += 1;
  const userId = `w${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { userId, currency: 'EUR', amount: 1_000 });
  return userId;
}

const payment = async () => ({
  ...{ userId: await newUser(), currency: 'EUR', amount: 400 },
  instrument: 'card',
});
const provision = async () => ({
  tenant: `w-${newToken()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0')
    .slice(0, 12)}`,
  currencies: ['EUR'],
  firstKey: {
    id: newToken()
      .replaceAll(/[^A-Za-z0-9]/g, '0')
      .slice(0, 16),
    secretHash: 'h'.repeat(43),
  },
});
const message = async () => ({
  ...{ channels: ['realtime'], userId: await newUser() },
  content: { subject: 'Hello', text: 'Your invoice is due.' },
});

const TYPES = [
  [
    'deposit',
    payment,
    3,
    ['check', 'authorise', 'capture', 'credit', 'bonus-rule', 'bonus', 'notify'],
  ],
  ['withdrawal', payment, 2, ['hold', 'risk-check', 'payout', 'capture', 'notify']],
  ['notification.send', message, 1, ['request']],
  [
    ...(['tenant.provision', provision, 5] as const),
    ['permit', 'reserve', 'database', 'first-key', 'activate', 'notify'],
  ],
] as const;

describe('a saga that nothing disturbs', () => {
  it.each(TYPES)(
    '%s is written as seldom as its calls allow, every step told',
    async (type, input, writes, names) => {
      const id = await arena.submit(type, await input());
      await arena.engine({ failpoint: noFailpoint }).engine.run(id);
      const { status, rev, steps = [] } = await arena.operation(id);
      expect([status, rev]).toEqual(['succeeded', writes]);
      expect(steps.map(({ name }) => name)).toEqual(names);
      const times = steps.flatMap(({ startedAt, finishedAt = startedAt }) => [
        startedAt.getTime(),
        finishedAt.getTime(),
      ]);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(steps.filter((step) => step.status !== 'done' || step.attempt !== 1)).toEqual([]);
      await expectSoundBooks(arena.mongo.db);
    },
  );

  it('is refused, or taken back, by one write more than its calls need', async () => {
    const declined = await arena.submit('withdrawal', {
      ...(await payment()),
      instrument: 'decline-payout',
    });
    await arena.engine().engine.run(declined);
    // Held and asked for; declined, given back and ended.
    expect(await arena.operation(declined)).toMatchObject({ status: 'compensated', rev: 2 });
    const poor = await arena.submit('withdrawal', { ...(await payment()), amount: 4_000 });
    await arena.engine().engine.run(poor);
    expect(await arena.operation(poor)).toMatchObject({ status: 'rejected', rev: 2 });
  });
});
