import { describe, expect, it } from 'vitest';
import type { EntryDoc } from '../../../../../core/ledger/documents.ts';
import {
  type LedgerCheck,
  createFindings,
  noSums,
} from '../../../../../core/ledger/verify/report.ts';
import { checkCurrency, createEntryTotals } from '../../../../../core/ledger/verify/verify.ts';
import { walletIdOf } from '../../../../../core/kernel/ids.ts';
import { AT } from '../../../../support/memory-ledger.ts';

const TENANT = 'acme';
const OPERATION = 'op_00000000000000000000000000000001';

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
    walletId: walletIdOf(TENANT, 'ann', 'EUR'),
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

describe('the money of a currency', () => {
  const currency = (fields: object): Checks =>
    found((findings) => {
      const sums = { heldByUsers: noSums(), walletsSum: noSums(), entriesSum: noSums() };
      const counts = { userWallets: 0, systemWallets: 0, entries: 0 };
      checkCurrency({ tenantId: TENANT, currency: 'EUR', ...counts, ...sums, ...fields }, findings);
    });

  it.each(['real', 'bonus', 'locked'] as const)('is neither made nor lost: %s', (type) => {
    for (const sum of [1n, -1n]) {
      expect(currency({ entriesSum: { ...noSums(), [type]: sum } })).toEqual([
        'currency.entries-sum',
      ]);
      expect(currency({ walletsSum: { ...noSums(), [type]: sum } })).toEqual([
        'currency.wallets-sum',
      ]);
    }
    expect(currency({})).toEqual([]);
  });

  it('is added up by tenant and currency', () => {
    const totals = createEntryTotals();
    for (const one of [
      entry(),
      entry({ leg: 2, direction: 'debit' }),
      entry({ currency: 'USD' }),
      entry({ tenantId: 'x' }),
    ]) {
      totals.add(one);
    }
    expect([...totals.keys()]).toEqual(['acme/EUR', 'acme/USD', 'x/EUR']);
    expect(totals.get('acme/EUR')).toEqual({ entries: 2, sums: noSums() });
    expect(totals.get('acme/USD')).toEqual({ entries: 1, sums: { ...noSums(), real: 10n } });
  });
});
