import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import type { EntryDoc, HoldDoc, TransferDoc } from '../../../../core/ledger/documents.ts';
import { type LedgerCheck, createFindings, noSums } from '../../../../core/ledger/verify-report.ts';
import {
  checkCurrency,
  checkHold,
  checkTransfer,
  createEntryTotals,
} from '../../../../core/ledger/verify.ts';
import { derivedId, walletIdOf } from '../../../../core/kernel/ids.ts';
import { AT } from '../../../support/memory-ledger.ts';

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

describe('a transfer that was given back', () => {
  const transfer = (fields: Partial<TransferDoc>): Checks =>
    found((findings) => {
      const amounts = { amount: 10n, fee: 0n, reversedAmount: 0n, status: 'settled' as const };
      const named = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', operationId: OPERATION };
      const ids = { _id: derivedId('trf', OPERATION), tenantId: TENANT, ...named };
      checkTransfer(
        { ...ids, ...amounts, createdAt: AT, updatedAt: AT, ...fields } as TransferDoc,
        findings,
      );
    });

  it('says so, by as much as that was', () => {
    expect(transfer({})).toEqual([]);
    expect(transfer({ reversedAmount: 4n, status: 'partially_reversed' })).toEqual([]);
    expect(transfer({ reversedAmount: 10n, status: 'reversed' })).toEqual([]);
  });

  it.each([
    { amount: 0n },
    { reversedAmount: -1n, status: 'partially_reversed' as const },
    { reversedAmount: 11n, status: 'reversed' as const },
    { reversedAmount: 4n },
    { reversedAmount: 10n, status: 'partially_reversed' as const },
    { status: 'reversed' as const },
  ])('and says otherwise is found %#', (fields) => {
    expect(transfer(fields)).toEqual(['transfer.reversed']);
  });
});

describe('a hold that was used', () => {
  const hold = (fields: Partial<HoldDoc>): Checks =>
    found((findings) => {
      const amounts = { amount: 10n, captured: 0n, released: 0n, status: 'open' as const };
      const named = { userId: 'ann', currency: 'EUR', operationId: OPERATION, tenantId: TENANT };
      const ids = { _id: derivedId('hld', OPERATION), ...named };
      checkHold(
        { ...ids, ...amounts, createdAt: AT, updatedAt: AT, ...fields } as HoldDoc,
        findings,
      );
    });

  it('is open while something of it is left, and not longer', () => {
    expect(hold({})).toEqual([]);
    expect(hold({ captured: 4n })).toEqual([]);
    expect(hold({ captured: 4n, released: 6n, status: 'released' })).toEqual([]);
  });

  it.each([
    { amount: 0n, status: 'released' as const },
    { captured: -1n },
    { released: -1n },
    { captured: 11n, status: 'captured' as const },
    { captured: 10n },
    { status: 'released' as const },
    { amount: LIMITS.amountMinorMax + 1n },
  ])('and says otherwise is found %#', (fields) => {
    expect(hold(fields)).toEqual(['hold.used']);
  });
});
