import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../../config/limits.ts';
import { derivedId } from '../../../../../core/kernel/ids.ts';
import {
  type EntryDoc,
  type HoldDoc,
  type TransferDoc,
  type WalletDoc,
  LEGS_PER_POSTING,
} from '../../../../../core/ledger/documents.ts';
import {
  type LedgerCheck,
  createFindings,
  noSums,
} from '../../../../../core/ledger/verify/report.ts';
import {
  type OperationRow,
  checkCurrency,
  checkEntries,
  checkHold,
  checkOperation,
  checkTransfer,
  checkWallet,
  createEntryTotals,
  createWalletFold,
  currencyKey,
} from '../../../../../core/ledger/verify/verify.ts';
import {
  TENANT,
  createMemoryLedger,
  operationId,
  operationOf,
} from '../../../../support/memory-ledger.ts';

/** A small sound ledger: ann is given 100, holds 30, pays bob 20. */
function soundLedger() {
  const ledger = createMemoryLedger();
  const user = (userId: string) => ({ userId, wallets: [{ currency: 'EUR' }] });
  const steps: readonly (readonly [string, unknown])[] = [
    ['user.create', user('ann')],
    ['user.create', user('bob')],
    ['wallet.credit', { userId: 'ann', currency: 'EUR', amount: '100' }],
    ['hold.place', { userId: 'ann', currency: 'EUR', amount: '30' }],
    ['transfer', { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: '20' }],
  ];
  for (const [index, [type, input]] of steps.entries()) {
    const [outcome] = ledger.settle([operationOf(type, input, { _id: operationId(index) })]);
    if (outcome?.status !== 'succeeded') throw new Error(JSON.stringify(outcome));
  }
  const entriesOf = (userId: string): EntryDoc[] =>
    ledger.entries.filter((entry) => entry.userId === userId).sort((a, b) => a.seq - b.seq);
  return { ledger, entriesOf };
}

const { ledger, entriesOf } = soundLedger();
const ANN = ledger.wallet('ann');
const OF_ANN = entriesOf('ann');
const HELD = 30n;

function foundBy(look: (findings: ReturnType<typeof createFindings>) => void): LedgerCheck[] {
  const findings = createFindings(100);
  look(findings);
  expect(findings.first).toHaveLength(findings.count);
  return [...new Set(findings.first.map(({ check }) => check))].sort();
}

const walletLook = (
  wallet: WalletDoc,
  entries: readonly EntryDoc[],
  claimed = HELD,
): LedgerCheck[] =>
  foundBy((findings) => {
    const fold = createWalletFold(wallet._id);
    for (const entry of entries) fold.add(entry, findings);
    checkWallet(wallet, fold, { claimed, findings });
  });

/** The entries, with something else about the n-th. */
const tampered = (index: number, change: Partial<EntryDoc>): EntryDoc[] =>
  OF_ANN.map((entry, at) => (at === index ? { ...entry, ...change } : entry));

describe('a wallet against its entries', () => {
  it('is sound as it was settled, and its fold is the wallet', () => {
    expect(OF_ANN.length).toBeGreaterThan(2);
    expect(walletLook(ANN, OF_ANN)).toEqual([]);
    const fold = createWalletFold(ANN._id);
    const findings = createFindings(1);
    for (const entry of OF_ANN) fold.add(entry, findings);
    expect(fold).toMatchObject({ walletId: ANN._id, seq: ANN.seq, totalCredited: 100n });
    expect(fold.sums).toEqual({ real: 80n, bonus: 0n, locked: 30n });
    expect([fold.totalDebited, fold.owner?._id]).toEqual([20n, OF_ANN[0]?._id]);
  });

  it('without entries is empty', () => {
    const empty = { ...ANN, balance: 0n, lockedBalance: 0n, totalCredited: 0n, totalDebited: 0n };
    expect(walletLook({ ...empty, seq: 0 }, [], 0n)).toEqual([]);
  });

  it.each([
    ['one is missing', OF_ANN.slice(1), ['wallet.chain', 'wallet.fold', 'wallet.seq-gap']],
    ['the last is missing', OF_ANN.slice(0, -1), ['wallet.fold']],
    ['two have one number', tampered(1, { seq: 1 }), ['wallet.seq-gap']],
    ['a balance was made up', tampered(0, { balanceAfter: 101n }), ['wallet.chain']],
    ['one is of another user', tampered(1, { userId: 'eve' }), ['entry.foreign']],
    ['one is of another tenant', tampered(1, { tenantId: 'zen' }), ['entry.foreign']],
    ['one is in another currency', tampered(1, { currency: 'USD' }), ['entry.foreign']],
  ] as const)('where %s it is found', (_what, entries, checks) => {
    expect(walletLook(ANN, entries)).toEqual(checks);
  });

  it('whose entries are all of somebody else is found, by any of the three names', () => {
    for (const change of [{ userId: 'eve' }, { tenantId: 'zen' }, { currency: 'USD' }]) {
      const entries = OF_ANN.map((entry) => ({ ...entry, ...change }));
      expect(walletLook(ANN, entries)).toEqual(['entry.foreign']);
    }
  });

  it.each([
    ['a number too many', { seq: ANN.seq + 1 }, ['wallet.fold']],
    ['another balance', { balance: 81n }, ['wallet.fold']],
    ['other totals', { totalCredited: 101n }, ['wallet.fold']],
    ['more debited', { totalDebited: 21n }, ['wallet.fold']],
    ['bonus out of nothing', { bonusBalance: 1n }, ['wallet.fold']],
    ['a bonus below nothing', { bonusBalance: -1n }, ['wallet.fold', 'wallet.overspent']],
    ['more spent than there is', { balance: 29n }, ['wallet.fold', 'wallet.overspent']],
    ['all spent', { balance: 30n }, ['wallet.fold']],
    ['less locked than held', { lockedBalance: 29n }, ['wallet.fold', 'wallet.locked']],
    ['closed with money', { status: 'closed' }, ['wallet.closed']],
  ] as const)('with %s it is found', (_what, change, checks) => {
    expect(walletLook({ ...ANN, ...change }, OF_ANN)).toEqual(checks);
  });

  it('locked below nothing is overspent, and an open hold has to stand behind what is locked', () => {
    const wallet = { ...ANN, lockedBalance: -1n };
    expect(walletLook(wallet, OF_ANN, -1n)).toEqual(['wallet.fold', 'wallet.overspent']);
    expect(walletLook(ANN, OF_ANN, 0n)).toEqual(['wallet.locked']);
  });

  it('of the system may go below nothing, and needs no holds', () => {
    const world = [...ledger.wallets.values()].filter(({ userId }) => userId.startsWith('sys:'));
    expect(world.some(({ balance }) => balance < 0n)).toBe(true);
    for (const wallet of world) {
      expect(walletLook(wallet, entriesOf(wallet.userId), 0n)).toEqual([]);
    }
  });

  it('leaves an entry that cannot be one out of the sum, and goes on behind it', () => {
    const entries = tampered(0, { amount: -100n });
    expect(walletLook(ANN, entries)).toContain('wallet.fold');
    expect(walletLook(ANN, entries)).not.toContain('wallet.seq-gap');
  });
});

const CREDIT = ledger.entries.filter(({ operationId: id }) => id === operationId(2));

const entriesLook = (entries: readonly EntryDoc[], isStepwise = false): LedgerCheck[] =>
  foundBy((findings) => {
    checkEntries(operationId(2), entries, { totals: createEntryTotals(), findings, isStepwise });
  });

const changed = (change: Partial<Record<keyof EntryDoc, unknown>>): EntryDoc[] =>
  CREDIT.map((entry, index) => (index === 0 ? ({ ...entry, ...change } as EntryDoc) : entry));

describe('the entries of one operation', () => {
  it('are sound as they were settled, and are added up by tenant and currency', () => {
    expect(CREDIT).toHaveLength(2);
    expect(entriesLook(CREDIT)).toEqual([]);
    const totals = createEntryTotals();
    const context = { totals, findings: createFindings(9), isStepwise: false };
    checkEntries(operationId(2), CREDIT, context);
    const [wallet] = CREDIT.filter(({ userId }) => userId === 'ann');
    if (wallet === undefined) throw new Error('ann was credited');
    checkEntries(operationId(3), [wallet], context);
    expect([...totals.keys()]).toEqual([currencyKey(TENANT, 'EUR')]);
    const sums = { real: 100n, bonus: 0n, locked: 0n };
    expect(totals.get(currencyKey(TENANT, 'EUR'))).toEqual({ entries: 3, sums });
    expect(totals.get(currencyKey(TENANT, 'USD'))).toBeUndefined();
  });

  it.each([
    ['walletId', 7],
    ['amount', 100],
    ['balanceAfter', 100],
    ['amount', 0n],
    ['amount', -100n],
    ['direction', 'up'],
    ['balanceType', 'gold'],
    ['_id', 'ent_other'],
    ['leg', 9],
    ['operationId', operationId(9)],
  ])('of which one has %s %s are malformed', (field, value) => {
    expect(entriesLook(changed({ [field]: value }))).toContain('entry.malformed');
  });

  it.each([
    ['another amount', { amount: 99n }],
    ['the other direction', { direction: CREDIT[0]?.direction === 'debit' ? 'credit' : 'debit' }],
    ['another balance', { balanceType: 'bonus' }],
    ['another currency', { currency: 'USD' }],
    ['another tenant', { tenantId: 'zen' }],
  ])('of which one has %s do not sum to zero', (_what, change) => {
    expect(entriesLook(changed(change))).toEqual(['operation.sum']);
  });

  const numbered = (legs: readonly number[]): EntryDoc[] =>
    legs.map((leg) => {
      const [entry] = CREDIT;
      if (entry === undefined) throw new Error('there are entries');
      return { ...entry, leg, _id: `${entry.operationId}.${leg}` };
    });
  const legsLook = (legs: readonly number[], isStepwise: boolean): boolean =>
    entriesLook(numbered(legs), isStepwise).includes('operation.legs');

  it('are numbered from 1 without gap; those of a later posting begin anew', () => {
    const next = LEGS_PER_POSTING + 1;
    expect(legsLook([1, 2, 3], false)).toBe(false);
    expect(legsLook([2, 3], false)).toBe(true);
    expect(legsLook([1, 3], false)).toBe(true);
    expect(legsLook([1, 2, next, next + 1], true)).toBe(false);
    expect(legsLook([1, 2, next, next + 1], false)).toBe(true);
    expect(legsLook([1, 2, next + 1], true)).toBe(true);
  });
});

const RULES = {
  movesMoney: (type: string) => ({ credit: true, note: false })[type],
  isStepwise: (type: string) => type === 'saga',
};
const ROW: OperationRow = {
  _id: operationId(2),
  tenantId: TENANT,
  type: 'credit',
  status: 'succeeded',
};

const operationLook = (
  change: Partial<OperationRow>,
  entries: readonly EntryDoc[] = CREDIT,
): LedgerCheck[] =>
  foundBy((findings) => {
    checkOperation({ ...ROW, ...change }, { entries, rules: RULES }, findings);
  });
const batchOf = (...types: string[]): Partial<OperationRow> => ({
  type: 'batch',
  input: { operations: types.map((type) => ({ type })) },
});

describe('an operation against its entries', () => {
  it.each([
    ['moved money', {}, CREDIT, []],
    ['moved money and has none', {}, [], ['operation.no-entries']],
    ['was refused and has none', { status: 'rejected' }, [], []],
    ['was refused and has some', { status: 'rejected' }, CREDIT, ['operation.status']],
    ['is only accepted and has some', { status: 'accepted' }, CREDIT, ['operation.status']],
    ['moves nothing and has some', { type: 'note' }, CREDIT, ['operation.extra-entries']],
    ['moves nothing and has none', { type: 'note' }, [], []],
    ['was tried only, and has some', { dryRun: true }, CREDIT, ['operation.extra-entries']],
    ['was tried only', { dryRun: true }, [], []],
    ['is of a type that is held to nothing', { type: 'other' }, [], []],
    ["is another tenant's", { tenantId: 'zen' }, CREDIT, ['entry.foreign']],
    [
      'is a batch with money in it, and has none',
      batchOf('note', 'credit'),
      [],
      ['operation.no-entries'],
    ],
    [
      'is a batch without, and has some',
      batchOf('note', 'note'),
      CREDIT,
      ['operation.extra-entries'],
    ],
    ['is a batch that may have some', batchOf('note', 'other'), CREDIT, []],
    ['is a batch of nothing, and has some', { type: 'batch' }, CREDIT, ['operation.extra-entries']],
  ] as const)('that %s', (_what, change, entries, checks) => {
    expect(operationLook(change, entries)).toEqual(checks);
  });

  it.each([['rejected'], ['compensated'], ['canceled'], ['expired']])(
    'of several steps that was %s has given everything back, on whatever stripe',
    (status) => {
      const back = CREDIT.map((entry): EntryDoc => ({
        ...entry,
        direction: entry.direction === 'debit' ? 'credit' : 'debit',
        userId: entry.userId.replace(/#.*$/, '#9'),
      }));
      const saga = { type: 'saga', status };
      expect(operationLook(saga, [...CREDIT, ...back])).toEqual([]);
      expect(operationLook(saga, CREDIT)).toEqual(['operation.status']);
      expect(operationLook(saga, [...CREDIT, ...back.slice(1)])).toEqual(['operation.status']);
      expect(operationLook({ ...saga, status: 'running' }, CREDIT)).toEqual([]);
    },
  );

  it('may have given a lapsed hold of another one back, whatever became of it', () => {
    const other = derivedId('hld', operationId(9));
    const own = derivedId('hld', operationId(2));
    const locked = (holdId: EntryDoc['holdId'] | undefined): EntryDoc[] =>
      CREDIT.map(({ holdId: _none, ...entry }) => ({
        ...entry,
        balanceType: 'locked',
        ...(holdId !== undefined && { holdId }),
      }));
    const note = { type: 'note' };
    expect(operationLook(note, locked(other))).toEqual([]);
    expect(operationLook(note, locked(own))).toEqual(['operation.extra-entries']);
    expect(operationLook(note, locked(undefined))).toEqual(['operation.extra-entries']);
    const taken = { type: 'saga', status: 'rejected' };
    expect(operationLook(taken, locked(other))).toEqual([]);
    expect(operationLook(taken, locked(own))).toEqual(['operation.status']);
  });
});

describe('the money of a currency', () => {
  const summary = {
    ...{ tenantId: TENANT, currency: 'EUR', userWallets: 1, systemWallets: 1, entries: 2 },
    ...{ heldByUsers: noSums(), walletsSum: noSums(), entriesSum: noSums() },
  };

  it('sums to zero over all wallets and over all entries, each kind by itself', () => {
    const look = (change: Partial<typeof summary>) =>
      foundBy((findings) => {
        checkCurrency({ ...summary, ...change }, findings);
      });
    expect(look({})).toEqual([]);
    for (const type of ['real', 'bonus', 'locked'] as const) {
      expect(look({ walletsSum: { ...noSums(), [type]: 1n } })).toEqual(['currency.wallets-sum']);
      expect(look({ entriesSum: { ...noSums(), [type]: -1n } })).toEqual(['currency.entries-sum']);
    }
  });
});

describe('a transfer', () => {
  const [settled] = ledger.transfers.values();
  if (settled === undefined) throw new Error('there is a transfer');
  it.each([
    [{}, true],
    [{ reversedAmount: 20n, status: 'reversed' }, true],
    [{ reversedAmount: 5n, status: 'partially_reversed' }, true],
    [{ reversedAmount: 20n }, false],
    [{ reversedAmount: 5n }, false],
    [{ reversedAmount: 5n, status: 'reversed' }, false],
    [{ status: 'partially_reversed' }, false],
    [{ reversedAmount: 21n, status: 'partially_reversed' }, false],
    [{ reversedAmount: -1n, status: 'partially_reversed' }, false],
    [{ amount: 0n, reversedAmount: 0n, status: 'reversed' }, false],
  ] as const)('with %o is sound: %s', (change: Partial<TransferDoc>, isSound) => {
    const found = foundBy((findings) => {
      checkTransfer({ ...settled, ...change }, findings);
    });
    expect(found).toEqual(isSound ? [] : ['transfer.reversed']);
  });
});

describe('a hold', () => {
  const [open] = ledger.holds.values();
  if (open === undefined) throw new Error('there is a hold');
  const max = LIMITS.amountMinorMax;
  it.each([
    [{}, true],
    [{ captured: 29n }, true],
    [{ captured: 30n, status: 'captured' }, true],
    [{ captured: 10n, released: 20n, status: 'captured' }, true],
    [{ released: 30n, status: 'released' }, true],
    [{ amount: max }, true],
    [{ amount: max + 1n }, false],
    [{ captured: 30n }, false],
    [{ status: 'released' }, false],
    [{ captured: 31n, status: 'captured' }, false],
    [{ captured: -1n }, false],
    [{ released: -1n }, false],
    [{ amount: 0n, status: 'released' }, false],
  ] as const)('with %o is sound: %s', (change: Partial<HoldDoc>, isSound) => {
    const found = foundBy((findings) => {
      checkHold({ ...open, ...change }, findings);
    });
    expect(found).toEqual(isSound ? [] : ['hold.used']);
  });
});
