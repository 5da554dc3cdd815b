import type { Random } from '../random.ts';
import type { Request } from './client.ts';

/** What one client may ask for. Pure but for the counters, which give names that nobody else has. */
export interface Requests {
  /** Users with money, known to all. */
  readonly shared: readonly string[];
  setUp(): readonly (readonly Request[])[];
  /** Anything, between users that are there already. */
  any(): Request;
  /** A user of its own, and what may be done with it, in this order; none of it can be refused. */
  line(): readonly Request[];
  bad(): Request;
  /** Tells of an operation that was accepted, so that later ones may follow it. */
  accepted(request: Request, id: string): void;
}

const EUR = 'EUR';
/** Shared users where nobody says how many. */
const SHARED = 16;
const RICH = '1000000';
const FOLLOWED_MAX = 200;
/** The first of the shared users are drawn more often than the others. */
const HOT = 3;
const HOT_SHARE = 0.2;
/** What waits for a provider holds up its line: the hot ones, which could do nothing else, have less. */
const HOT_SHARE_OF_PAYMENTS = 0.01;

type Make = (random: Random, users: readonly string[]) => Pick<Request, 'type' | 'input'>;

const other = (random: Random, users: readonly string[], than: string): string =>
  random.pick(users.filter((user) => user !== than));
const some = (random: Random, high: number): string => String(random.between(1, high));

const ANY: readonly (readonly [number, Make])[] = [
  [8, (random, users) => transfer(random, users)],
  [
    3,
    (random, users) => ({
      type: 'wallet.credit',
      input: { ...at(random, users), amount: some(random, 500) },
    }),
  ],
  [
    3,
    (random, users) => ({
      type: 'wallet.debit',
      input: { ...at(random, users), amount: some(random, 500), fee: '1' },
    }),
  ],
  [
    3,
    (random, users) => ({
      type: 'hold.place',
      input: { ...at(random, users), amount: some(random, 200) },
    }),
  ],
  [
    2,
    (random, users) => ({
      type: 'bonus.award',
      input: { ...at(random, users), amount: some(random, 50) },
    }),
  ],
  [1, (random, users) => ({ type: 'bonus.convert', input: { ...at(random, users), amount: '1' } })],
  [
    3,
    (random, users) => ({
      type: 'deposit',
      input: { ...payment(random, users), instrument: instrument(random, 'capture') },
    }),
  ],
  [
    3,
    (random, users) => ({
      type: 'withdrawal',
      input: { ...payment(random, users), instrument: instrument(random, 'payout') },
    }),
  ],
  [2, (random, users) => ({ type: 'batch', input: { operations: batchItems(random, users) } })],
  [2, (random, users) => ({ type: 'notification.send', input: message(random, users) })],
  // More than anybody has: refused when it is settled, and nothing happens.
  [
    1,
    (random, users) => ({
      type: 'wallet.debit',
      input: { ...at(random, users), amount: '900000000' },
    }),
  ],
];

function userOf(random: Random, users: readonly string[], hotShare = HOT_SHARE): string {
  return random.pick(random.chance(hotShare) ? users.slice(0, HOT) : users);
}

function at(random: Random, users: readonly string[]) {
  return { userId: userOf(random, users), currency: EUR };
}

function payment(random: Random, users: readonly string[]) {
  const userId = userOf(random, users, HOT_SHARE_OF_PAYMENTS);
  return { userId, currency: EUR, amount: some(random, 300) };
}

function instrument(random: Random, step: string): string {
  return random.chance(0.1) ? `decline-${step}` : 'card';
}

function transfer(random: Random, users: readonly string[]) {
  const fromUserId = userOf(random, users);
  const toUserId = other(random, users, fromUserId);
  return {
    type: 'transfer',
    input: { fromUserId, toUserId, currency: EUR, amount: some(random, 100) },
  };
}

function batchItems(random: Random, users: readonly string[]) {
  return [
    transfer(random, users),
    { type: 'wallet.credit', input: { ...at(random, users), amount: '7' } },
    transfer(random, users),
  ];
}

function message(random: Random, users: readonly string[]) {
  const userId = userOf(random, users);
  const content = { subject: 'Chaos', text: 'It works all the same.' };
  return { channels: [random.pick(['realtime', 'email'])], userId, content };
}

export function createRequests(random: Random, prefix: string, sharedUsers = SHARED): Requests {
  let keys = 0;
  let users = 0;
  const shared = Array.from({ length: sharedUsers }, (_, index) => `s${String(index)}`);
  const holds: string[] = [];
  const transfers: string[] = [];
  const key = (): string => `${prefix}-${String(keys++)}`;
  const request = (made: Pick<Request, 'type' | 'input'>): Request => ({ key: key(), ...made });
  const keep = (list: string[], id: string): void => {
    list.push(id);
    if (list.length > FOLLOWED_MAX) list.shift();
  };
  const userWith = (userId: string, hasMail: boolean): Pick<Request, 'type' | 'input'> => ({
    type: 'user.create',
    input: {
      userId,
      ...(hasMail && { contacts: { email: `${userId}@example.test` } }),
      wallets: [{ currency: EUR }],
    },
  });
  const follow = (): Request | undefined => {
    if (holds.length > 0 && random.chance(0.12)) {
      const holdId = random.pick(holds);
      return request(
        random.chance(0.5)
          ? { type: 'hold.release', input: { holdId } }
          : { type: 'hold.capture', input: { holdId, ...(random.chance(0.5) && { amount: '1' }) } },
      );
    }
    if (transfers.length > 0 && random.chance(0.06)) {
      const transferId = random.pick(transfers);
      return request({ type: 'transfer.reverse', input: { transferId, amount: '1' } });
    }
    return undefined;
  };

  return Object.freeze({
    shared,
    setUp: () => [
      shared.map((userId, index) => request(userWith(userId, index % 4 === 0))),
      shared.map((userId) =>
        request({ type: 'wallet.credit', input: { userId, currency: EUR, amount: RICH } }),
      ),
    ],
    any: () => follow() ?? request(weighted(random, ANY)(random, shared)),
    line: () => {
      users += 1;
      const userId = `${prefix}u${String(users)}`;
      const mine = { userId, currency: EUR };
      const steps = [
        userWith(userId, random.chance(0.2)),
        { type: 'wallet.credit', input: { ...mine, amount: '1000' } },
        ...(LINES[random.int(LINES.length)]?.(mine, random.pick(shared)) ?? []),
      ];
      return steps.map((step) => ({ ...request(step), purpose: { isProvided: true } as const }));
    },
    bad: () => ({
      ...request({
        type: 'transfer',
        input: { fromUserId: 's0', toUserId: 's0', currency: EUR, amount: '1' },
      }),
      purpose: { isBad: true } as const,
    }),
    accepted: ({ type }: Request, id: string) => {
      if (type === 'hold.place') keep(holds, `hld_${id.slice(3)}`);
      if (type === 'transfer') keep(transfers, `trf_${id.slice(3)}`);
    },
  });
}

interface Mine {
  readonly userId: string;
  readonly currency: string;
}

/** What follows on 1,000 credited: each has enough if, and only if, the order is kept. */
const LINES: readonly ((
  mine: Mine,
  payee: string,
) => readonly Pick<Request, 'type' | 'input'>[])[] = [
  (mine) => [{ type: 'withdrawal', input: { ...mine, amount: '1000', instrument: 'account' } }],
  (mine, payee) => [
    {
      type: 'transfer',
      input: { fromUserId: mine.userId, toUserId: payee, currency: EUR, amount: '1000' },
    },
    { type: 'wallet.credit', input: { ...mine, amount: '50' } },
    { type: 'wallet.debit', input: { ...mine, amount: '50' } },
  ],
  (mine) => [
    { type: 'deposit', input: { ...mine, amount: '500', instrument: 'card' } },
    { type: 'wallet.debit', input: { ...mine, amount: '1500' } },
  ],
  (mine) => [
    { type: 'hold.place', input: { ...mine, amount: '600' } },
    { type: 'bonus.award', input: { ...mine, amount: '10' } },
    { type: 'bonus.convert', input: { ...mine, amount: '10' } },
    { type: 'wallet.debit', input: { ...mine, amount: '410' } },
  ],
];

function weighted<T>(random: Random, rows: readonly (readonly [number, T])[]): T {
  let left = random.int(rows.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, value] of rows) {
    if (left < weight) return value;
    left -= weight;
  }
  throw new Error('the weights add up');
}
