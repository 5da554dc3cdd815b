/**
 * A pay-day, deterministic from its seed: employers pay salaries, users pay rent and shop by card,
 * some rents are given back, bonuses are awarded and converted, accounts are charged.
 *
 * Every operation succeeds whatever the timing. Operations of one user settle in the order of the
 * file, but nothing orders the lines of different users: money that arrives by a transfer may arrive
 * later than the next line of the file. So whoever pays has been credited beforehand with all that
 * they will pay; and a rent is only given back by landlords, who spend nothing else.
 */
export interface PaydayOptions {
  readonly users: number;
  readonly seed: number;
  readonly days: number;
}

/** One line of the file. `ref` names what it creates for later lines (see `sluice import --help`). */
export interface PaydayLine {
  readonly type: string;
  readonly idempotencyKey: string;
  readonly ref?: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

const EUR = 'EUR';
const USD = 'USD';

/** mulberry32: small, good enough for examples, the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Dice {
  /** A whole number, both ends included. */
  between(min: number, max: number): number;
  /** True in `percent` of all cases. */
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
}

function createDice(seed: number): Dice {
  const random = createRandom(seed);
  const between = (min: number, max: number): number =>
    min + Math.floor(random() * (max - min + 1));
  return {
    between,
    chance: (percent) => random() * 100 < percent,
    pick: (list) => {
      const picked = list[between(0, list.length - 1)];
      if (picked === undefined) throw new Error('there is nothing to pick from');
      return picked;
    },
  };
}

interface Person {
  readonly id: string;
  readonly name: string;
  readonly hasDollars: boolean;
  readonly overdraftLimit: number;
}

interface Town {
  readonly employers: readonly Person[];
  readonly landlords: readonly Person[];
  readonly shops: readonly Person[];
  readonly users: readonly Person[];
}

const FIRST_NAMES =
  'Ada Alan Barbara Claude Donald Edsger Frances Grace Hedy Ivan Jean Kathleen Leslie Margaret ' +
  'Niklaus Ole Peter Radia Sophie Tony';
const LAST_NAMES =
  'Adler Brandt Costa Dahl Eriksen Ferrari Garcia Horvat Ivanov Jansen Keller Lindqvist Moreau ' +
  'Novak Olsen Petit Quinn Rossi Schmidt Toth';

/** What ids and keys begin with: other options make other people. The default ones stay short. */
function nameOf({ users, seed, days }: PaydayOptions): string {
  const size = users === 200 && days === 1 ? '' : `-${String(users)}x${String(days)}`;
  return `${String(seed)}${size}`;
}

function populate(options: PaydayOptions): Town {
  const dice = createDice(options.seed);
  const firstNames = FIRST_NAMES.split(' ');
  const lastNames = LAST_NAMES.split(' ');
  const people = (kind: string, count: number, named: (n: number) => string): Person[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `pd${nameOf(options)}-${kind}-${String(index + 1).padStart(3, '0')}`,
      name: named(index + 1),
      hasDollars: kind === 'user' && dice.chance(15),
      overdraftLimit: kind === 'user' && dice.chance(10) ? dice.between(1, 10) * 10_000 : 0,
    }));
  const onePer = (users: number): number => Math.max(1, Math.ceil(options.users / users));
  return {
    employers: people('employer', onePer(40), (n) => `Employer ${String(n)}`),
    landlords: people('landlord', onePer(25), (n) => `Landlord ${String(n)}`),
    shops: people('shop', onePer(20), (n) => `Shop ${String(n)}`),
    users: people('user', options.users, () => `${dice.pick(firstNames)} ${dice.pick(lastNames)}`),
  };
}

/** A line before it has a key. */
type Draft = Omit<PaydayLine, 'idempotencyKey'>;
type Drafts = Generator<Draft, void>;

/** What the waves of a day share. */
interface Day {
  readonly town: Town;
  readonly dice: Dice;
  /** The person pays this much; returns the amount as requests state it. */
  readonly owe: (person: Person, currency: string, amount: number) => string;
  /** A name that no other line has. */
  readonly newRef: (what: string) => string;
}

const digits = (amount: number): string => String(amount);

/** All lines, in file order. The same options give the same lines. */
export function* generatePayday(options: PaydayOptions): Generator<PaydayLine> {
  const town = populate(options);
  // The days twice: what everybody will pay has to be known before the first line.
  const pays = new Map<string, number>();
  const count = (person: Person, currency: string, amount: number): void => {
    const key = `${person.id} ${currency}`;
    pays.set(key, (pays.get(key) ?? 0) + amount);
  };
  const rehearsal = writeDays(options, town, count);
  while (rehearsal.next().done !== true);

  let number = 0;
  const keyed = (draft: Draft): PaydayLine => {
    number += 1;
    const idempotencyKey = `payday-${nameOf(options)}-${String(number).padStart(6, '0')}`;
    const { type, ...rest } = draft;
    return { type, idempotencyKey, ...rest };
  };
  for (const draft of openAccounts(town)) yield keyed(draft);
  for (const draft of fundAccounts(town, pays)) yield keyed(draft);
  for (const draft of writeDays(options, town, () => undefined)) yield keyed(draft);
}

type Count = (person: Person, currency: string, amount: number) => void;

function* writeDays(options: PaydayOptions, town: Town, count: Count): Drafts {
  const dice = createDice(options.seed + 1);
  let refs = 0;
  const day: Day = {
    town,
    dice,
    owe: (person, currency, amount) => {
      count(person, currency, amount);
      return digits(amount);
    },
    newRef: (what) => {
      refs += 1;
      return `${what}-${String(refs)}`;
    },
  };
  for (let number = 1; number <= options.days; number += 1) {
    const refunds: Refund[] = [];
    const purchases: Purchase[] = [];
    yield* paySalaries(day);
    yield* payRents(day, refunds);
    yield* authorise(day, purchases);
    yield* giveBack(refunds);
    yield* capture(day, purchases);
    yield* chargeAndReward(day);
  }
}

const everybody = ({ employers, landlords, shops, users }: Town): readonly Person[] => [
  ...employers,
  ...landlords,
  ...shops,
  ...users,
];

function* openAccounts(town: Town): Drafts {
  const shops = new Set(town.shops);
  for (const person of everybody(town)) {
    const { id: userId, name, overdraftLimit, hasDollars } = person;
    const limit = overdraftLimit === 0 ? {} : { overdraftLimit: digits(overdraftLimit) };
    const dollars = shops.has(person) ? [{ currency: USD }] : [];
    const wallets = [{ currency: EUR, ...limit }, ...dollars];
    yield { type: 'user.create', input: { userId, displayName: name, wallets } };
    if (hasDollars) yield { type: 'wallet.open', input: { userId, currency: USD } };
  }
}

/** What they will pay, and something on top. */
function* fundAccounts(town: Town, pays: ReadonlyMap<string, number>): Drafts {
  for (const { id: userId } of everybody(town)) {
    for (const currency of [EUR, USD]) {
      const total = pays.get(`${userId} ${currency}`);
      if (total === undefined) continue;
      const amount = digits(total + 10_000);
      const input = { userId, currency, amount, description: 'opening balance' };
      yield { type: 'wallet.credit', input };
    }
  }
}

const fromTo = (from: Person, to: Person) => ({ fromUserId: from.id, toUserId: to.id });

function* paySalaries({ town, dice, owe }: Day): Drafts {
  for (const [index, user] of town.users.entries()) {
    const employer = town.employers[index % town.employers.length] ?? dice.pick(town.employers);
    const amount = owe(employer, EUR, dice.between(18_000, 52_000) * 10);
    const fee = owe(employer, EUR, 35);
    yield {
      type: 'transfer',
      input: { ...fromTo(employer, user), currency: EUR, amount, fee, description: 'salary' },
      metadata: { purpose: 'salary', employer: employer.id },
    };
  }
}

interface Refund {
  readonly ref: string;
  /** Undefined: all of it. */
  readonly amount: string | undefined;
}

function* payRents({ town, dice, owe, newRef }: Day, refunds: Refund[]): Drafts {
  for (const [index, user] of town.users.entries()) {
    const landlord = town.landlords[index % town.landlords.length] ?? dice.pick(town.landlords);
    const rent = dice.between(400, 1_400) * 100;
    const payment = { ...fromTo(user, landlord), currency: EUR, amount: owe(user, EUR, rent) };
    const input = { ...payment, description: 'rent' };
    if (dice.chance(10)) {
      const heating = { ...payment, amount: owe(user, EUR, dice.between(30, 120) * 100) };
      const inputs = [input, { ...heating, description: 'heating' }];
      const operations = inputs.map((one) => ({ type: 'transfer', input: one }));
      yield { type: 'batch', input: { operations } };
    } else if (dice.chance(6)) {
      const ref = newRef('rent');
      refunds.push({ ref, amount: dice.chance(50) ? undefined : digits(dice.between(1, rent)) });
      yield { type: 'transfer', ref, input };
    } else {
      yield { type: 'transfer', input };
    }
  }
}

function* giveBack(refunds: readonly Refund[]): Drafts {
  for (const { ref, amount } of refunds) {
    const part = amount === undefined ? {} : { amount };
    const transferId = `{{ref:${ref}.transferId}}`;
    const input = { transferId, ...part, description: 'rent given back' };
    yield { type: 'transfer.reverse', input };
  }
}

interface Purchase {
  readonly ref: string;
  readonly shop: Person;
  readonly currency: string;
  readonly held: number;
}

function* authorise({ town, dice, owe, newRef }: Day, purchases: Purchase[]): Drafts {
  for (const user of town.users) {
    for (let times = dice.between(0, 3); times > 0; times -= 1) {
      const ref = newRef('card');
      const currency = user.hasDollars && dice.chance(40) ? USD : EUR;
      const held = dice.between(150, 25_000);
      const shop = dice.pick(town.shops);
      const amount = owe(user, currency, held);
      const description = `card payment at ${shop.name}`;
      yield { type: 'hold.place', ref, input: { userId: user.id, currency, amount, description } };
      purchases.push({ ref, shop, currency, held });
    }
  }
}

/** Most in full; some in part, and the rest is released; some not at all; a few stay open. */
function* capture({ dice }: Day, purchases: readonly Purchase[]): Drafts {
  for (const { ref, shop, currency, held } of purchases) {
    const holdId = `{{ref:${ref}.holdId}}`;
    const toShop = { holdId, toUserId: shop.id, currency };
    if (dice.chance(5)) {
      yield { type: 'hold.release', input: { holdId } };
    } else if (dice.chance(10)) {
      const amount = digits(dice.between(1, held - 1));
      yield { type: 'hold.capture', input: { ...toShop, amount } };
      yield { type: 'hold.release', input: { holdId } };
    } else if (dice.chance(97)) {
      yield { type: 'hold.capture', input: toShop };
    }
  }
}

function* chargeAndReward({ town, dice, owe }: Day): Drafts {
  for (const user of town.users) {
    const ofUser = { userId: user.id, currency: EUR };
    if (dice.chance(30)) {
      const amount = owe(user, EUR, 250);
      yield { type: 'wallet.debit', input: { ...ofUser, amount, description: 'account fee' } };
    }
    if (dice.chance(20)) {
      const amount = digits(dice.between(1, 20) * 100);
      yield { type: 'bonus.award', input: { ...ofUser, amount, description: 'loyalty bonus' } };
      if (dice.chance(75)) {
        const part = dice.chance(50) ? { amount: '50' } : {};
        yield { type: 'bonus.convert', input: { ...ofUser, ...part } };
      }
    }
    if (user.overdraftLimit > 0 && dice.chance(25)) {
      const overdraftLimit = digits(user.overdraftLimit * 2);
      yield { type: 'wallet.update', input: { ...ofUser, overdraftLimit } };
    }
  }
}
