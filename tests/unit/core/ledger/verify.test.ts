import { describe, expect, it } from 'vitest';
import {
  type EntryDoc,
  LEGS_PER_POSTING,
  type WalletDoc,
  systemUserId,
} from '../../../../core/ledger/documents.ts';
import { type LedgerCheck, createFindings } from '../../../../core/ledger/verify-report.ts';
import {
  type LedgerRules,
  type OperationRow,
  checkEntries,
  checkOperation,
  checkWallet,
  createEntryTotals,
  createWalletFold,
} from '../../../../core/ledger/verify.ts';
import { openWallet } from '../../../../core/ledger/wallet.ts';
import { derivedId, walletIdOf } from '../../../../core/kernel/ids.ts';
import { AT } from '../../../support/memory-ledger.ts';

const TENANT = 'acme';
const OPERATION = 'op_00000000000000000000000000000001';
const OTHER = 'op_00000000000000000000000000000002';
const ANN = walletIdOf(TENANT, 'ann', 'EUR');

type Checks = readonly (LedgerCheck | undefined)[];

/** What a look finds, by check. */
function found(look: (findings: ReturnType<typeof createFindings>) => void): Checks {
  const findings = createFindings(100);
  look(findings);
  expect(findings.count).toBe(findings.first.length);
  return findings.first.map(({ check }) => check);
}

function entry(fields: Partial<EntryDoc> = {}): EntryDoc {
  const { operationId = OPERATION, leg = 1 } = fields;
  return {
    _id: `${operationId}.${leg}`,
    operationId,
    leg,
    tenantId: TENANT,
    walletId: ANN,
    userId: 'ann',
    currency: 'EUR',
    balanceType: 'real',
    direction: 'credit',
    amount: 10n,
    balanceAfter: 10n,
    seq: 1,
    createdAt: AT,
    ...fields,
  };
}

function folded(entries: readonly EntryDoc[]) {
  const findings = createFindings(100);
  const fold = createWalletFold(ANN);
  for (const one of entries) fold.add(one, findings);
  return { fold, checks: findings.first.map(({ check }) => check) };
}

const WALLET: WalletDoc = {
  ...openWallet({
    ...{ tenantId: TENANT, userId: 'ann', currency: 'EUR', overdraftLimit: 0n },
    ...{ ownerBlocked: false, at: AT },
  }),
  ...{ balance: 7n, totalCredited: 10n, totalDebited: 3n, seq: 2 },
};
const ENTRIES = [
  entry(),
  entry({
    operationId: OTHER,
    direction: 'debit',
    amount: 3n,
    balanceAfter: 7n,
    seq: 2,
  }),
];

function wallet(
  fields: Partial<WalletDoc>,
  entries: readonly EntryDoc[] = ENTRIES,
  claimed = 0n,
): Checks {
  return found((findings) => {
    checkWallet({ ...WALLET, ...fields }, folded(entries).fold, { claimed, findings });
  });
}

describe('a wallet that is not what its entries say', () => {
  it('is told apart from a sound one', () => {
    expect(wallet({})).toEqual([]);
  });

  it.each([
    ['seq', { seq: 3 }],
    ['real balance', { balance: 8n }],
    ['bonus balance', { bonusBalance: 1n }],
    ['total of what came in', { totalCredited: 11n }],
    ['total of what went out', { totalDebited: 4n }],
  ] as const)('by its %s alone', (_what, fields) => {
    expect(wallet(fields)).toEqual(['wallet.fold']);
  });

  it('by its locked balance, which no hold claims either', () => {
    expect(wallet({ lockedBalance: 1n })).toEqual(['wallet.fold', 'wallet.locked']);
    expect(wallet({}, ENTRIES, 1n)).toEqual(['wallet.locked']);
  });

  it('by its tenant, user or currency', () => {
    for (const fields of [{ tenantId: 'x' }, { userId: 'bob' }, { currency: 'USD' }]) {
      expect(wallet(fields)).toEqual(['entry.foreign']);
    }
  });
});

describe('a wallet that owes more than it may', () => {
  const of = (balanceType: EntryDoc['balanceType'], amount: bigint) => {
    const direction = 'debit' as const;
    const one = entry({ balanceType, direction, amount, balanceAfter: -amount });
    return { entries: [one], seq: 1, balance: 0n, totalCredited: 0n, totalDebited: 0n };
  };

  it('is found by its real, its bonus and its locked balance', () => {
    const { entries, ...real } = of('real', 1n);
    const owing = { ...real, balance: -1n, totalDebited: 1n };
    expect(wallet(owing, entries)).toEqual(['wallet.overspent']);
    expect(wallet({ ...owing, overdraftLimit: 1n }, entries)).toEqual([]);
    const bonus = of('bonus', 1n);
    const { entries: ofBonus, ...others } = bonus;
    expect(wallet({ ...others, bonusBalance: -1n }, ofBonus)).toEqual(['wallet.overspent']);
    const { entries: ofLocked, ...rest } = of('locked', 1n);
    expect(wallet({ ...rest, lockedBalance: -1n }, ofLocked, -1n)).toEqual(['wallet.overspent']);
  });

  it('is no finding where it is the platform’s own', () => {
    const { entries, ...rest } = of('real', 1n);
    const userId = systemUserId('world', 0);
    const own = entries.map((one) => ({ ...one, userId }));
    expect(wallet({ ...rest, userId, balance: -1n, totalDebited: 1n }, own)).toEqual([]);
  });

  it('is no more closed while anything is in it', () => {
    expect(wallet({ status: 'closed' })).toEqual(['wallet.closed']);
  });
});

describe('the entries of a wallet', () => {
  it.each([
    [
      'a gap',
      [entry(), entry({ operationId: OTHER, seq: 3, balanceAfter: 20n })],
      'wallet.seq-gap',
    ],
    [
      'a number twice',
      [entry(), entry({ operationId: OTHER, balanceAfter: 20n })],
      'wallet.seq-gap',
    ],
    ['a balance from nowhere', [entry({ balanceAfter: 11n })], 'wallet.chain'],
    [
      'another user',
      [entry(), entry({ operationId: OTHER, seq: 2, balanceAfter: 20n, userId: 'bob' })],
      'entry.foreign',
    ],
    [
      'another currency',
      [entry(), entry({ operationId: OTHER, seq: 2, balanceAfter: 20n, currency: 'USD' })],
      'entry.foreign',
    ],
    [
      'another tenant',
      [entry(), entry({ operationId: OTHER, seq: 2, balanceAfter: 20n, tenantId: 'x' })],
      'entry.foreign',
    ],
  ] as const)('with %s', (_what, entries, check) => {
    expect(folded(entries).checks).toEqual([check]);
  });

  it('are wrong once where one balance is, not from there on', () => {
    const later = entry({ operationId: OTHER, seq: 2, balanceAfter: 21n });
    expect(folded([entry({ balanceAfter: 11n }), later]).checks).toEqual(['wallet.chain']);
  });

  it('count bonus and locked money neither as credited nor as debited', () => {
    const bonus = entry({ balanceType: 'bonus' });
    const locked = entry({
      operationId: OTHER,
      seq: 2,
      balanceType: 'locked',
      direction: 'debit',
      balanceAfter: -10n,
    });
    const { fold } = folded([bonus, locked]);
    expect([fold.totalCredited, fold.totalDebited]).toEqual([0n, 0n]);
    expect(fold.sums).toEqual({ real: 0n, bonus: 10n, locked: -10n });
  });
});

const PAIR = [
  entry(),
  entry({ leg: 2, userId: 'bob', walletId: walletIdOf(TENANT, 'bob', 'EUR'), direction: 'debit' }),
];

function entriesOf(entries: readonly EntryDoc[], isStepwise = false): Checks {
  return found((findings) => {
    checkEntries(OPERATION, entries, { totals: createEntryTotals(), findings, isStepwise });
  });
}

describe('the entries of an operation', () => {
  it('are sound as a pair', () => {
    expect(entriesOf(PAIR)).toEqual([]);
  });

  it.each([
    ['nothing moved', { amount: 0n }],
    ['less than nothing', { amount: -10n }],
    ['an amount that is no int64', { amount: 10 as unknown as bigint }],
    ['a balance that is no int64', { balanceAfter: 10 as unknown as bigint }],
    ['no wallet', { walletId: 5 as unknown as EntryDoc['walletId'] }],
    ['no direction', { direction: 'up' as EntryDoc['direction'] }],
    ['no known balance', { balanceType: 'gold' as EntryDoc['balanceType'] }],
    ['an id of another leg', { _id: `${OPERATION}.9` }],
  ] as const)('with %s are malformed', (_what, fields) => {
    expect(entriesOf([entry({ ...fields, leg: 3 }), ...PAIR])).toContain('entry.malformed');
  });

  it('sum to zero in each currency, balance and tenant by itself', () => {
    expect(entriesOf([entry(), entry({ leg: 2, direction: 'debit', amount: 9n })])).toEqual([
      'operation.sum',
    ]);
    for (const fields of [
      { currency: 'USD' },
      { balanceType: 'bonus' },
      { tenantId: 'x' },
    ] as const) {
      expect(entriesOf([entry(), entry({ leg: 2, direction: 'debit', ...fields })])).toEqual([
        'operation.sum',
        'operation.sum',
      ]);
    }
  });

  it('are numbered without a gap, in every posting of several steps by itself', () => {
    const at = (first: number) =>
      PAIR.map((one) =>
        entry({ ...one, leg: one.leg + first, _id: `${OPERATION}.${one.leg + first}` }),
      );
    expect(entriesOf(at(1))).toEqual(['operation.legs']);
    const second = at(LEGS_PER_POSTING);
    expect(entriesOf([...PAIR, ...second])).toEqual(['operation.legs']);
    expect(entriesOf([...PAIR, ...second], true)).toEqual([]);
    expect(entriesOf([...PAIR, ...at(LEGS_PER_POSTING + 1)], true)).toEqual(['operation.legs']);
  });
});

const RULES: LedgerRules = {
  movesMoney: (type) => (type === 'odd' ? undefined : type !== 'user.create'),
  isStepwise: (type) => type === 'withdrawal',
};

function operation(fields: Partial<OperationRow>, entries: readonly EntryDoc[]): Checks {
  const row = {
    _id: OPERATION,
    tenantId: TENANT,
    type: 'transfer',
    status: 'succeeded',
    ...fields,
  };
  return found((findings) => {
    checkOperation(row, { entries, rules: RULES }, findings);
  });
}

describe('an operation and its entries', () => {
  it('are sound when it moved money and succeeded', () => {
    expect(operation({}, PAIR)).toEqual([]);
  });

  it('that moved money leaves some, and one that did not leaves none', () => {
    expect(operation({}, [])).toEqual(['operation.no-entries']);
    expect(operation({ dryRun: true }, [])).toEqual([]);
    expect(operation({ dryRun: true }, PAIR)).toEqual(['operation.extra-entries']);
    expect(operation({ type: 'user.create' }, PAIR)).toEqual(['operation.extra-entries']);
    expect(operation({ type: 'odd' }, [])).toEqual([]);
    expect(operation({ type: 'odd' }, PAIR)).toEqual([]);
  });

  it('as a batch is judged by what is in it', () => {
    const batch = (...types: string[]) => ({
      type: 'batch',
      input: { operations: types.map((type) => ({ type })) },
    });
    expect(operation(batch('user.create', 'transfer'), [])).toEqual(['operation.no-entries']);
    expect(operation(batch('user.create'), PAIR)).toEqual(['operation.extra-entries']);
    expect(operation(batch('user.create', 'odd'), PAIR)).toEqual([]);
    expect(operation(batch('user.create', 'odd'), [])).toEqual([]);
  });

  it.each(['accepted', 'rejected', 'canceled', 'expired', 'needs_attention'])(
    'of one step that is %s has no entries',
    (status) => {
      expect(operation({ status }, PAIR)).toEqual(['operation.status']);
    },
  );

  it('of several steps may have posted before it ended', () => {
    expect(operation({ type: 'withdrawal', status: 'running' }, PAIR)).toEqual([]);
  });

  it.each(['rejected', 'compensated', 'canceled', 'expired'])(
    'of several steps that is %s has taken all of it back',
    (status) => {
      const taken = { type: 'withdrawal', status };
      expect(operation(taken, PAIR)).toEqual(['operation.status']);
      const back = PAIR.map((one) =>
        entry({
          ...one,
          leg: one.leg + 2,
          direction: one.direction === 'credit' ? 'debit' : 'credit',
        }),
      );
      expect(operation(taken, [...PAIR, ...back])).toEqual([]);
      // What went out to one stripe of a system wallet may come back from another.
      const stripe = (n: number, direction: EntryDoc['direction']) =>
        entry({ leg: 9 + n, userId: systemUserId('clearing', n), direction });
      expect(operation(taken, [stripe(1, 'credit'), stripe(2, 'debit')])).toEqual([]);
      expect(operation(taken, [stripe(1, 'credit')])).toEqual(['operation.status']);
    },
  );

  it('that was refused may have given back the lapsed hold of another, and nothing else', () => {
    const others = PAIR.map((one) =>
      entry({ ...one, balanceType: 'locked', holdId: derivedId('hld', OTHER) }),
    );
    const refused = { type: 'withdrawal', status: 'rejected' };
    expect(operation(refused, others)).toEqual([]);
    expect(operation({ type: 'user.create' }, others)).toEqual([]);
    const own = PAIR.map((one) =>
      entry({ ...one, balanceType: 'locked', holdId: derivedId('hld', OPERATION) }),
    );
    expect(operation(refused, own)).toEqual(['operation.status']);
  });

  it('of different tenants are found', () => {
    expect(operation({ tenantId: 'x' }, PAIR)).toEqual(['entry.foreign']);
  });
});
