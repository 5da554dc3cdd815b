import type { PaydayLine } from '../../examples/payday.ts';

/** What a wallet should hold in the end, worked out without any of the code under test. */
export interface Holdings {
  real: bigint;
  bonus: bigint;
  locked: bigint;
}

export type Balances = Readonly<Record<string, Holdings>>;

type Fields = Readonly<Record<string, string | undefined>>;

interface Made {
  readonly wallet: string;
  readonly other: string;
  left: bigint;
}

/** Wallets by `<user> <currency>`, given that every line succeeds. */
export function expectedBalances(lines: Iterable<PaydayLine>): Balances {
  const wallets = new Map<string, Holdings>();
  const made = new Map<string, Made>();
  const open = (key: string): void => {
    wallets.set(key, { real: 0n, bonus: 0n, locked: 0n });
  };
  const at = (key: string): Holdings => {
    const found = wallets.get(key);
    if (found === undefined) throw new Error(`no wallet ${key}`);
    return found;
  };
  const madeBy = (reference: string | undefined): Made => {
    const name = /^\{\{ref:(.+)\.\w+\}\}$/.exec(reference ?? '')?.[1] ?? '';
    const found = made.get(name);
    if (found === undefined) throw new Error(`no line ${name}`);
    return found;
  };
  const transfer = (input: Fields, ref: string | undefined): void => {
    const amount = BigInt(input['amount'] ?? 0);
    const wallet = `${input['fromUserId'] ?? ''} ${input['currency'] ?? ''}`;
    const other = `${input['toUserId'] ?? ''} ${input['currency'] ?? ''}`;
    at(wallet).real -= amount + BigInt(input['fee'] ?? 0);
    at(other).real += amount;
    if (ref !== undefined) made.set(ref, { wallet, other, left: amount });
  };
  const bookSimple = (type: string, input: Fields, own: string): void => {
    const amount = BigInt(input['amount'] ?? 0);
    if (type === 'wallet.open') open(own);
    if (type === 'wallet.credit') at(own).real += amount;
    if (type === 'wallet.debit') at(own).real -= amount;
    if (type === 'bonus.award') at(own).bonus += amount;
    if (type === 'bonus.convert') {
      const converted = input['amount'] === undefined ? at(own).bonus : amount;
      at(own).bonus -= converted;
      at(own).real += converted;
    }
  };
  const bookHold = (type: string, input: Fields, line: PaydayLine): void => {
    if (type === 'hold.place') {
      const wallet = `${input['userId'] ?? ''} ${input['currency'] ?? ''}`;
      const left = BigInt(input['amount'] ?? 0);
      at(wallet).locked += left;
      made.set(line.ref ?? '', { wallet, other: '', left });
      return;
    }
    const hold = madeBy(input['holdId']);
    const taken = input['amount'] === undefined ? hold.left : BigInt(input['amount']);
    hold.left -= taken;
    at(hold.wallet).locked -= taken;
    if (type === 'hold.release') return;
    at(hold.wallet).real -= taken;
    at(`${input['toUserId'] ?? ''} ${input['currency'] ?? ''}`).real += taken;
  };

  for (const line of lines) {
    const { type } = line;
    const input = line.input as Fields;
    if (type === 'user.create') {
      const { userId, wallets: list } = line.input as unknown as {
        userId: string;
        wallets: readonly { currency: string }[];
      };
      for (const { currency } of list) open(`${userId} ${currency}`);
    } else if (type === 'batch') {
      const { operations } = line.input as unknown as { operations: readonly { input: Fields }[] };
      for (const operation of operations) transfer(operation.input, undefined);
    } else if (type === 'transfer') {
      transfer(input, line.ref);
    } else if (type === 'transfer.reverse') {
      const original = madeBy(input['transferId']);
      const amount = input['amount'] === undefined ? original.left : BigInt(input['amount']);
      original.left -= amount;
      at(original.other).real -= amount;
      at(original.wallet).real += amount;
    } else if (type.startsWith('hold.')) {
      bookHold(type, input, line);
    } else {
      bookSimple(type, input, `${input['userId'] ?? ''} ${input['currency'] ?? ''}`);
    }
  }
  return Object.fromEntries(wallets);
}
