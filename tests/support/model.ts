import { noneFails } from '../../core/kernel/every.ts';
/**
 * The ledger again, as small as it gets: plain maps and the rules of DESIGN.md in a few lines each.
 * Shares no code with core/, so that a mistake there is not repeated here.
 */
export type Command =
  | { readonly type: 'user.create'; readonly user: string; readonly wallets: readonly NewWallet[] }
  | { readonly type: 'user.update'; readonly user: string; readonly blocked?: boolean }
  | ({ readonly type: 'wallet.open'; readonly user: string } & NewWallet)
  | {
      readonly type: 'wallet.update';
      readonly user: string;
      readonly currency: string;
      readonly overdraft?: number;
      readonly status?: Status;
    }
  | ({ readonly type: 'wallet.credit' | 'wallet.debit' } & Payment)
  | ({ readonly type: 'transfer'; readonly to: string } & Omit<Payment, 'bonus'>)
  | { readonly type: 'transfer.reverse'; readonly of: number; readonly amount?: number }
  | {
      readonly type: 'hold.place';
      readonly user: string;
      readonly currency: string;
      readonly amount: number;
      /** Steps until it expires; 0 is too late. */
      readonly lives?: number;
    }
  | {
      readonly type: 'hold.capture';
      readonly of: number;
      readonly amount?: number;
      readonly to?: { readonly user: string; readonly currency: string };
    }
  | { readonly type: 'hold.release'; readonly of: number }
  | {
      readonly type: 'bonus.award';
      readonly user: string;
      readonly currency: string;
      readonly amount: number;
    }
  | {
      readonly type: 'bonus.convert';
      readonly user: string;
      readonly currency: string;
      readonly amount?: number;
    }
  | { readonly type: 'batch'; readonly items: readonly Command[] };

export type Status = 'active' | 'frozen' | 'closed';

interface NewWallet {
  readonly currency: string;
  readonly overdraft: number;
}

interface Payment {
  readonly user: string;
  readonly currency: string;
  readonly amount: number;
  readonly bonus: boolean;
  readonly fee?: number;
}

export interface ModelWallet {
  real: number;
  bonus: number;
  overdraft: number;
  status: Status;
}

interface ModelHold {
  readonly wallet: string;
  readonly user: string;
  readonly currency: string;
  readonly expires: number;
  left: number;
  open: boolean;
}

interface ModelTransfer {
  readonly from: string;
  readonly to: string;
  left: number;
}

export interface Model {
  readonly users: Map<string, { blocked: boolean }>;
  readonly wallets: Map<string, ModelWallet>;
  readonly holds: Map<string, ModelHold>;
  readonly transfers: Map<string, ModelTransfer>;
  /** What the outside world, the fee account and the bonus pool have, `name/type/currency`. */
  readonly others: Map<string, number>;
}

export function emptyModel(): Model {
  return {
    users: new Map(),
    wallets: new Map(),
    holds: new Map(),
    transfers: new Map(),
    others: new Map(),
  };
}

/** Where a command stands: its name for what it creates, the time, and how to name earlier ones. */
export interface Place {
  readonly name: string;
  readonly now: number;
  readonly nameOf: (index: number) => string;
}

/** Does the command, or refuses and leaves everything as it was. */
export function modelDo(model: Model, command: Command, place: Place): boolean {
  const copy = [false, true]
    .map((expires) => {
      const trial = structuredClone(model);
      if (expires) {
        for (const wallet of payersOf(trial, command, place)) lapse(trial, wallet, place);
      }
      return attempt(trial, command, place) ? trial : undefined;
    })
    .find((trial) => trial !== undefined);
  if (copy === undefined) return false;
  for (const part of ['users', 'wallets', 'holds', 'transfers', 'others'] as const) {
    const target: Map<string, unknown> = model[part];
    target.clear();
    for (const [key, value] of copy[part]) target.set(key, value);
  }
  return true;
}

/** True when done; false may leave a mess, which the caller throws away. */
function attempt(m: Model, c: Command, place: Place): boolean {
  switch (c.type) {
    case 'user.create':
      if (m.users.has(c.user)) return false;
      m.users.set(c.user, { blocked: false });
      return noneFails(c.wallets, (wallet) => openWallet(m, c.user, wallet));
    case 'user.update': {
      const user = m.users.get(c.user);
      if (user !== undefined && c.blocked !== undefined) user.blocked = c.blocked;
      return user !== undefined;
    }
    case 'wallet.open':
      return m.users.has(c.user) && openWallet(m, c.user, c);
    case 'wallet.update':
      return updateWallet(m, c);
    case 'wallet.credit':
      return receive(m, c) && payFee(m, c) && other(m, 'world', c, -c.amount);
    case 'wallet.debit':
      return spend(m, c) && payFee(m, c) && other(m, 'world', c, c.amount);
    case 'transfer':
      return transfer(m, c, place);
    case 'transfer.reverse':
      return reverse(m, c, place);
    case 'hold.place':
      return placeHold(m, c, place);
    case 'hold.capture':
      return capture(m, c, place);
    case 'hold.release': {
      const hold = m.holds.get(place.nameOf(c.of));
      if (hold?.open !== true) return false;
      Object.assign(hold, { left: 0, open: false });
      return true;
    }
    case 'bonus.award':
      return (
        receive(m, { ...c, bonus: true }) && other(m, 'pool', { ...c, bonus: true }, -c.amount)
      );
    case 'bonus.convert':
      return convert(m, c);
    case 'batch':
      return noneFails(c.items, (item, index) =>
        attempt(m, item, { ...place, name: `${place.name}-${index}` }),
      );
  }
}

/** From whose lapsed holds money may be wanted. */
function payersOf(m: Model, c: Command, place: Place): readonly string[] {
  switch (c.type) {
    case 'batch':
      return c.items.flatMap((item) => payersOf(m, item, place));
    case 'transfer':
      return [keyOf(c.user, c.currency), keyOf(c.to, c.currency)];
    case 'transfer.reverse': {
      const original = m.transfers.get(place.nameOf(c.of));
      return original === undefined ? [] : [original.from, original.to];
    }
    case 'hold.capture':
      return c.to === undefined ? [] : [keyOf(c.to.user, c.to.currency)];
    case 'user.create':
      return c.wallets.map(({ currency }) => keyOf(c.user, currency));
    case 'hold.release':
    case 'user.update':
      return [];
    case 'wallet.open':
    case 'wallet.update':
    case 'wallet.credit':
    case 'wallet.debit':
    case 'hold.place':
    case 'bonus.award':
    case 'bonus.convert':
      return [keyOf(c.user, c.currency)];
  }
}

function lapse(m: Model, wallet: string, { now }: Place): void {
  for (const hold of m.holds.values()) {
    const isLapsed = hold.open && hold.wallet === wallet && hold.expires <= now;
    if (isLapsed) Object.assign(hold, { left: 0, open: false });
  }
}

const keyOf = (user: string, currency: string): string => `${user}/${currency}`;

export function lockedOf(m: Model, wallet: string): number {
  const open = [...m.holds.values()].filter((hold) => hold.open && hold.wallet === wallet);
  return open.reduce((sum, hold) => sum + hold.left, 0);
}

function spendable(m: Model, key: string): number {
  const wallet = m.wallets.get(key);
  return wallet === undefined ? 0 : wallet.real - lockedOf(m, key) + wallet.overdraft;
}

function canPay(m: Model, user: string, currency: string): boolean {
  const isActive = m.wallets.get(keyOf(user, currency))?.status === 'active';
  return isActive && m.users.get(user)?.blocked === false;
}

function openWallet(m: Model, user: string, { currency, overdraft }: NewWallet): boolean {
  if (m.wallets.has(keyOf(user, currency))) return false;
  m.wallets.set(keyOf(user, currency), { real: 0, bonus: 0, overdraft, status: 'active' });
  return true;
}

function updateWallet(m: Model, c: Command & { type: 'wallet.update' }): boolean {
  const key = keyOf(c.user, c.currency);
  const wallet = m.wallets.get(key);
  if (wallet === undefined || wallet.status === 'closed') return false;
  wallet.overdraft = c.overdraft ?? wallet.overdraft;
  wallet.status = c.status ?? wallet.status;
  const isEmpty = wallet.real === 0 && wallet.bonus === 0 && lockedOf(m, key) === 0;
  return spendable(m, key) >= 0 && (isEmpty || c.status !== 'closed');
}

type Money = Pick<Payment, 'user' | 'currency' | 'amount' | 'bonus'>;

function receive(m: Model, { user, currency, amount, bonus }: Money): boolean {
  const wallet = m.wallets.get(keyOf(user, currency));
  if (wallet === undefined || wallet.status === 'closed') return false;
  wallet[bonus ? 'bonus' : 'real'] += amount;
  return true;
}

function spend(m: Model, { user, currency, amount, bonus }: Money): boolean {
  const key = keyOf(user, currency);
  const wallet = m.wallets.get(key);
  if (wallet === undefined || !canPay(m, user, currency)) return false;
  if (amount > (bonus ? wallet.bonus : spendable(m, key))) return false;
  wallet[bonus ? 'bonus' : 'real'] -= amount;
  return true;
}

function payFee(m: Model, c: Omit<Payment, 'bonus'>): boolean {
  if (c.fee === undefined) return true;
  const fee = { ...c, amount: c.fee, bonus: false };
  return spend(m, fee) && other(m, 'fees', fee, c.fee);
}

function other(m: Model, name: string, { currency, bonus }: Money, amount: number): boolean {
  const key = `${name}/${bonus ? 'bonus' : 'real'}/${currency}`;
  m.others.set(key, (m.others.get(key) ?? 0) + amount);
  return true;
}

function transfer(m: Model, c: Command & { type: 'transfer' }, place: Place): boolean {
  if (c.user === c.to) return false;
  const moved = spend(m, { ...c, bonus: false }) && receive(m, { ...c, user: c.to, bonus: false });
  if (!moved || !payFee(m, c)) return false;
  const ends = { from: keyOf(c.user, c.currency), to: keyOf(c.to, c.currency) };
  m.transfers.set(place.name, { ...ends, left: c.amount });
  return true;
}

function reverse(m: Model, c: Command & { type: 'transfer.reverse' }, place: Place): boolean {
  const original = m.transfers.get(place.nameOf(c.of));
  if (original === undefined) return false;
  const amount = c.amount ?? original.left;
  if (amount === 0 || amount > original.left) return false;
  original.left -= amount;
  const [payer = '', currency = ''] = original.to.split('/');
  const [payee = ''] = original.from.split('/');
  const money = { currency, amount, bonus: false };
  return spend(m, { ...money, user: payer }) && receive(m, { ...money, user: payee });
}

function placeHold(m: Model, c: Command & { type: 'hold.place' }, place: Place): boolean {
  const key = keyOf(c.user, c.currency);
  if (!canPay(m, c.user, c.currency) || spendable(m, key) < c.amount || c.lives === 0) return false;
  m.holds.set(place.name, {
    wallet: key,
    user: c.user,
    currency: c.currency,
    expires: c.lives === undefined ? Infinity : place.now + c.lives,
    left: c.amount,
    open: true,
  });
  return true;
}

function capture(m: Model, c: Command & { type: 'hold.capture' }, place: Place): boolean {
  const hold = m.holds.get(place.nameOf(c.of));
  if (hold?.open !== true || hold.expires <= place.now) return false;
  const amount = c.amount ?? hold.left;
  if (amount > hold.left || !canPay(m, hold.user, hold.currency)) return false;
  if (c.to !== undefined && (c.to.currency !== hold.currency || c.to.user === hold.user)) {
    return false;
  }
  hold.left -= amount;
  hold.open = hold.left > 0;
  const wallet = m.wallets.get(hold.wallet);
  if (wallet !== undefined) wallet.real -= amount;
  const money = { user: hold.user, currency: hold.currency, amount, bonus: false };
  return c.to === undefined
    ? other(m, 'world', money, amount)
    : receive(m, { ...money, user: c.to.user });
}

function convert(m: Model, c: Command & { type: 'bonus.convert' }): boolean {
  const { user, currency } = c;
  const amount = c.amount ?? m.wallets.get(keyOf(user, currency))?.bonus ?? 0;
  const bonus = { user, currency, amount, bonus: true };
  const real = { ...bonus, bonus: false };
  if (amount === 0 || !spend(m, bonus) || !receive(m, real)) return false;
  return other(m, 'pool', bonus, amount) && other(m, 'pool', real, -amount);
}
