import { describe, expect, it } from 'vitest';
import { type Draft, type LedgerState, createBook } from '../../../../core/ledger/book.ts';
import type { WalletDoc } from '../../../../core/ledger/documents.ts';
import { openWallet } from '../../../../core/ledger/wallet.ts';
import { InvariantError } from '../../../../core/kernel/errors.ts';
import { AT, TENANT, operationId } from '../../../support/memory-ledger.ts';

function walletOf(userId: string, balance = 0n, currency = 'EUR'): WalletDoc {
  const wallet = openWallet({
    ...{ tenantId: TENANT, userId, currency, overdraftLimit: 0n, ownerBlocked: false, at: AT },
  });
  return { ...wallet, balance, totalCredited: balance, seq: balance === 0n ? 0 : 1 };
}

function stateOf(...wallets: readonly WalletDoc[]): LedgerState {
  const byId = new Map(wallets.map((wallet) => [wallet._id as string, wallet]));
  return { users: new Map(), wallets: byId, transfers: new Map(), holds: new Map() };
}

const scope = (index = 1) => ({
  ...{ tenantId: TENANT, operationId: operationId(index), at: AT, stripe: 0 },
});

function mustHave(draft: Draft, userId: string): WalletDoc {
  const wallet = draft.wallet(userId, 'EUR');
  if (wallet === undefined) throw new Error(`${userId} has no wallet`);
  return wallet;
}

function pay(draft: Draft, from: string, to: string, amount: bigint): void {
  const ends = { from: mustHave(draft, from), to: mustHave(draft, to) };
  draft.move({ ...ends, amount, balanceType: 'real' });
}

const ANN = walletOf('ann', 100n);
const BOB = walletOf('bob');

describe('the time of an entry', () => {
  it('is never before that of the entry ahead of it, by whatever clock its operation was stamped', () => {
    const ahead = new Date(AT.getTime() + 3_600_000);
    const book = createBook(stateOf({ ...ANN, updatedAt: ahead }, BOB));
    const draft = book.draft(scope(1));
    pay(draft, 'ann', 'bob', 30n);
    pay(draft, 'ann', 'bob', 30n);
    book.apply(draft);
    const times = book.changes().entries.map(({ userId, createdAt }) => [userId, createdAt]);
    expect(times).toEqual([
      ['ann', ahead],
      ['bob', AT],
      ['ann', ahead],
      ['bob', AT],
    ]);
    const ann = book.changes().wallets.find(({ after }) => after.userId === 'ann');
    expect(ann?.after.updatedAt).toEqual(ahead);
  });
});

describe('a draft', () => {
  it('sees its own writes, which nobody else sees before they are applied', () => {
    const book = createBook(stateOf(ANN, BOB));
    const first = book.draft(scope(1));
    const second = book.draft(scope(2));
    pay(first, 'ann', 'bob', 30n);
    expect(mustHave(first, 'bob').balance).toBe(30n);
    expect(mustHave(second, 'bob').balance).toBe(0n);
    expect(book.changes().wallets).toEqual([]);
    book.apply(first);
    expect(mustHave(second, 'bob').balance).toBe(30n);
    expect(book.changes().wallets.map(({ before }) => before)).toEqual([ANN, BOB]);
  });

  it('that is dropped leaves no trace: no entry, no wallet, no system wallet', () => {
    const loaded = stateOf(ANN, BOB);
    const book = createBook(loaded);
    const dropped = book.draft(scope(1));
    pay(dropped, 'ann', 'bob', 30n);
    dropped.system('world', 'EUR');
    dropped.emit('user.created', { userId: 'ann' });
    const { entries, wallets, users, transfers, holds } = book.changes();
    expect([entries, wallets, users, transfers, holds]).toEqual([[], [], [], [], []]);
    expect(loaded.wallets.get(ANN._id)).toBe(ANN);
  });

  it('numbers legs through, over nested drafts that are absorbed and past those that are not', () => {
    const book = createBook(stateOf(ANN, BOB));
    const draft = book.draft(scope());
    pay(draft, 'ann', 'bob', 1n);
    const refused = draft.nested();
    pay(refused, 'ann', 'bob', 2n);
    const taken = draft.nested();
    pay(taken, 'ann', 'bob', 3n);
    const deeper = taken.nested();
    pay(deeper, 'ann', 'bob', 4n);
    taken.absorb(deeper);
    draft.absorb(taken);
    pay(draft, 'ann', 'bob', 5n);
    book.apply(draft);
    const { entries } = book.changes();
    expect(entries.map(({ leg }) => leg)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(entries.map(({ amount }) => amount)).toEqual([1n, 1n, 3n, 3n, 4n, 4n, 5n, 5n]);
    expect(new Set(entries.map(({ _id }) => _id)).size).toBe(8);
    expect(mustHave(draft, 'bob').balance).toBe(13n);
  });

  it('numbers the entries of each wallet without a gap, over several operations', () => {
    const book = createBook(stateOf(ANN, BOB));
    for (const index of [1, 2, 3]) {
      const draft = book.draft(scope(index));
      pay(draft, 'ann', 'bob', 10n);
      book.apply(draft);
    }
    const seqs = (walletId: string) =>
      book
        .changes()
        .entries.filter((entry) => entry.walletId === walletId)
        .map(({ seq, balanceAfter }) => [seq, balanceAfter]);
    expect(seqs(ANN._id)).toEqual([
      ...[
        [2, 90n],
        [3, 80n],
        [4, 70n],
      ],
    ]);
    expect(seqs(BOB._id)).toEqual([
      ...[
        [1, 10n],
        [2, 20n],
        [3, 30n],
      ],
    ]);
  });

  it('looks its wallets up afresh, so that an outdated copy does no harm', () => {
    const book = createBook(stateOf(ANN, BOB));
    const draft = book.draft(scope());
    const outdated = { from: mustHave(draft, 'ann'), to: mustHave(draft, 'bob') };
    draft.move({ ...outdated, amount: 10n, balanceType: 'real' });
    draft.move({ ...outdated, amount: 10n, balanceType: 'real' });
    expect(mustHave(draft, 'ann')).toMatchObject({ balance: 80n, seq: 3 });
  });

  it("lists a user's wallets as they are now, each once", () => {
    const usd = walletOf('ann', 0n, 'USD');
    const draft = createBook(stateOf(ANN, BOB, usd)).draft(scope());
    draft.putWallet({ ...usd, status: 'frozen' });
    const nested = draft.nested();
    nested.putWallet(walletOf('ann', 0n, 'JPY'));
    const found = nested.walletsOf('ann').map(({ currency, status }) => `${currency} ${status}`);
    expect(found.sort()).toEqual(['EUR active', 'JPY active', 'USD frozen']);
    expect(draft.walletsOf('ann')).toHaveLength(2);
  });
});

describe('a movement', () => {
  const draft = () => createBook(stateOf(ANN, BOB, walletOf('bob', 0n, 'USD'))).draft(scope());
  const real = { balanceType: 'real' } as const;

  it.each([0n, -1n])('of %d is a bug', (amount) => {
    expect(() => {
      draft().move({ from: ANN, to: BOB, amount, ...real });
    }).toThrow(InvariantError);
  });

  it('inside one wallet, or between currencies, or from nowhere is a bug', () => {
    const usd = walletOf('bob', 0n, 'USD');
    for (const [from, to] of [
      [ANN, ANN],
      [ANN, usd],
      [walletOf('zoe'), BOB],
    ] as const) {
      expect(() => {
        draft().move({ from, to, amount: 1n, ...real });
      }).toThrow(InvariantError);
    }
  });
});

describe('applying a draft', () => {
  it('refuses to spend beyond the limit, and takes nothing in', () => {
    const book = createBook(stateOf(ANN, BOB));
    const draft = book.draft(scope());
    pay(draft, 'ann', 'bob', 101n);
    expect(() => {
      book.apply(draft);
    }).toThrow('spent beyond its limit');
    expect(book.changes()).toMatchObject({ entries: [], wallets: [] });
  });

  it('refuses entries that do not sum to zero', () => {
    const book = createBook(stateOf(ANN, BOB));
    const draft = book.draft(scope());
    pay(draft, 'ann', 'bob', 10n);
    const halved = { ...draft, entries: draft.entries.slice(0, 1) };
    expect(() => {
      book.apply(halved);
    }).toThrow('sum to zero');
  });

  it('refuses a balance that does not follow from entries', () => {
    const book = createBook(stateOf(ANN, BOB));
    const draft = book.draft(scope());
    draft.putWallet({ ...ANN, balance: 1_000n });
    expect(() => {
      book.apply(draft);
    }).toThrow('lifetime totals');
  });
});

describe('looking a wallet up', () => {
  it.each([
    ['a negative available balance', { balance: 0n, totalCredited: 0n, lockedBalance: 1n }],
    ['totals that do not make the balance', { totalCredited: 99n }],
    ['a fraction as its sequence', { seq: 1.5 }],
    ['a negative bonus balance', { bonusBalance: -1n }],
    ['money while closed', { status: 'closed' as const }],
  ])('refuses a stored wallet with %s', (_what, fields) => {
    const draft = createBook(stateOf({ ...ANN, ...fields })).draft(scope());
    expect(() => draft.wallet('ann', 'EUR')).toThrow(InvariantError);
    expect(() => draft.walletsOf('ann')).toThrow(InvariantError);
  });

  it('lets system wallets go below zero', () => {
    const world = { ...walletOf('sys:world#0'), balance: -5n, totalDebited: 5n };
    expect(createBook(stateOf(world)).draft(scope()).system('world', 'EUR')).toBe(world);
  });
});
