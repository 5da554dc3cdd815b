import fc from 'fast-check';
import { operationId } from './memory-ledger.ts';
import type { Command } from './model.ts';

const USERS = ['ann', 'bob', 'cyd'] as const;
const CURRENCIES = ['EUR', 'JPY'] as const;

const user = fc.constantFrom(...USERS);
// Mostly one currency, so that commands meet.
const currency = fc.constantFrom('EUR', 'EUR', 'EUR', ...CURRENCIES);
const amount = fc.integer({ min: 1, max: 60 });
const overdraft = fc.constantFrom(0, 0, 0, 25);
// Mostly the first few, so that several commands work on the same transfer or hold.
const of = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 2 }) }, fc.nat({ max: 200 }));
/** The field or nothing, never an explicit undefined. */
const maybe = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.constant({}),
    value.map((made) => ({ [name]: made })),
  );

const merged = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<Command> =>
  fc.tuple(...parts).map((made) => Object.assign({}, ...made) as Command);
const record = (type: Command['type'], fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ type: fc.constant(type), ...fields });

const wallets = fc.uniqueArray(fc.record({ currency: fc.constantFrom(...CURRENCIES), overdraft }), {
  selector: (wallet) => wallet.currency,
  maxLength: 2,
});
const payee = fc.record({ user, currency });
const twoUsers = fc
  .shuffledSubarray([...USERS], { minLength: 2, maxLength: 2 })
  .map(([from, to]) => ({ user: from, to }));

const single: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: merged(record('user.create', { user, wallets })) },
  { weight: 1, arbitrary: merged(record('user.update', { user }), maybe('blocked', fc.boolean())) },
  { weight: 3, arbitrary: merged(record('wallet.open', { user, currency, overdraft })) },
  {
    weight: 1,
    arbitrary: merged(
      record('wallet.update', { user, currency }),
      fc.oneof(
        overdraft.map((value) => ({ overdraft: value })),
        fc.constantFrom('active', 'active', 'frozen', 'closed').map((status) => ({ status })),
      ),
    ),
  },
  {
    weight: 6,
    arbitrary: merged(
      record('wallet.credit', { user, currency, amount, bonus: fc.boolean() }),
      maybe('fee', fc.integer({ min: 1, max: 9 })),
    ),
  },
  {
    weight: 2,
    arbitrary: merged(
      record('wallet.debit', { user, currency, amount, bonus: fc.boolean() }),
      maybe('fee', fc.integer({ min: 1, max: 9 })),
    ),
  },
  {
    weight: 6,
    arbitrary: merged(
      twoUsers,
      record('transfer', { currency, amount }),
      maybe('fee', fc.integer({ min: 1, max: 9 })),
    ),
  },
  { weight: 4, arbitrary: merged(record('transfer.reverse', { of }), maybe('amount', amount)) },
  {
    weight: 5,
    arbitrary: merged(
      record('hold.place', { user, currency, amount }),
      maybe('lives', fc.nat({ max: 20 })),
    ),
  },
  {
    weight: 5,
    arbitrary: merged(record('hold.capture', { of }), maybe('amount', amount), maybe('to', payee)),
  },
  { weight: 3, arbitrary: merged(record('hold.release', { of })) },
  { weight: 2, arbitrary: merged(record('bonus.award', { user, currency, amount })) },
  {
    weight: 2,
    arbitrary: merged(record('bonus.convert', { user, currency }), maybe('amount', amount)),
  },
);

const batch = fc
  .array(single, { minLength: 1, maxLength: 5 })
  .map((items): Command => ({ type: 'batch', items }));

/** A sequence over all fourteen types, starting from users that exist. */
export const commands: fc.Arbitrary<readonly Command[]> = fc
  .array(fc.oneof({ weight: 9, arbitrary: single }, { weight: 1, arbitrary: batch }), {
    maxLength: 60,
    size: 'max',
  })
  .map((list) => [
    ...USERS.slice(0, 2).map((name): Command => ({
      type: 'user.create',
      user: name,
      wallets: [{ currency: 'EUR', overdraft: 0 }],
    })),
    ...list,
  ]);

/** The names of what commands may have created: operation ids, and `<id>-<n>` for batch items. */
function namesBefore(list: readonly Command[], index: number): readonly string[] {
  return list.slice(0, index).flatMap((command, at) => {
    const name = operationId(at).slice(3);
    return command.type === 'batch'
      ? command.items.map((_item, item) => `${name}-${item}`)
      : command.type === 'transfer' || command.type === 'hold.place'
        ? [name]
        : [];
  });
}

/** How command number `index` of a list names what earlier ones made. */
export function namerOf(list: readonly Command[], index: number): (of: number) => string {
  const names = namesBefore(list, index);
  return (wanted) => names[wanted % names.length] ?? 'f'.repeat(32);
}

const text = (value: number | undefined, name: string) =>
  value === undefined ? {} : { [name]: String(value) };

/** The request that a command stands for. */
export function inputOf(
  c: Command,
  options: { readonly now: Date; readonly name: (of: number) => string },
): unknown {
  const { now, name } = options;
  const nested = (item: Command) => ({ type: item.type, input: inputOf(item, options) });
  switch (c.type) {
    case 'user.create':
      return {
        userId: c.user,
        wallets: c.wallets.map((wallet) => ({
          currency: wallet.currency,
          overdraftLimit: wallet.overdraft,
        })),
      };
    case 'user.update': {
      const status = c.blocked === true ? 'blocked' : 'active';
      return c.blocked === undefined
        ? { userId: c.user, displayName: 'new' }
        : { userId: c.user, status };
    }
    case 'wallet.open':
      return { userId: c.user, currency: c.currency, overdraftLimit: c.overdraft };
    case 'wallet.update':
      return {
        userId: c.user,
        currency: c.currency,
        ...text(c.overdraft, 'overdraftLimit'),
        ...(c.status !== undefined && { status: c.status }),
      };
    case 'wallet.credit':
    case 'wallet.debit': {
      const money = { userId: c.user, currency: c.currency, amount: c.amount };
      return { ...money, balanceType: c.bonus ? 'bonus' : 'real', ...text(c.fee, 'fee') };
    }
    case 'transfer': {
      const ends = { fromUserId: c.user, toUserId: c.to };
      return { ...ends, currency: c.currency, amount: c.amount, ...text(c.fee, 'fee') };
    }
    case 'transfer.reverse':
      return { transferId: `trf_${name(c.of)}`, ...text(c.amount, 'amount') };
    case 'hold.place': {
      const expires = c.lives === undefined ? undefined : now.getTime() + c.lives * 1_000;
      return {
        ...{ userId: c.user, currency: c.currency, amount: c.amount },
        ...(expires !== undefined && { expiresAt: new Date(expires).toISOString() }),
      };
    }
    case 'hold.capture':
      return {
        holdId: `hld_${name(c.of)}`,
        ...text(c.amount, 'amount'),
        ...(c.to !== undefined && { toUserId: c.to.user, currency: c.to.currency }),
      };
    case 'hold.release':
      return { holdId: `hld_${name(c.of)}` };
    case 'bonus.award':
    case 'bonus.convert':
      return { userId: c.user, currency: c.currency, ...text(c.amount, 'amount') };
    case 'batch':
      return { operations: c.items.map(nested) };
  }
}
