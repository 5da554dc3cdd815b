import { describe, expect, it } from 'vitest';
import type { EntryDoc } from '../../../../core/ledger/documents.ts';
import { AT } from '../../../support/memory-ledger.ts';
import { EUR, type Scenario, createScenario } from '../../../support/scenario.ts';

const ann = { userId: 'ann', ...EUR };
const bob = { userId: 'bob', ...EUR };

/** The entries of the last operation, one line each. */
function lastEntries({ ledger }: Scenario): readonly string[] {
  const last = ledger.entries.at(-1)?.operationId;
  return ledger.entries.filter(({ operationId }) => operationId === last).map(lineOf);
}

function lineOf(entry: EntryDoc): string {
  const { leg, userId, direction, amount, balanceType, balanceAfter } = entry;
  return `${leg} ${userId} ${direction} ${amount} ${balanceType} → ${balanceAfter}`;
}

describe('the entries of', () => {
  it('a credit and its fee', () => {
    const scenario = createScenario();
    scenario.do('wallet.credit', { ...bob, amount: 10, fee: 3 });
    expect(lastEntries(scenario)).toEqual([
      '1 sys:world#0 debit 10 real → -110',
      '2 bob credit 10 real → 10',
      '3 bob debit 3 real → 7',
      '4 sys:fees#0 credit 3 real → 3',
    ]);
  });

  it('a transfer and its fee, which the payer pays on top', () => {
    const scenario = createScenario();
    const input = { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 60, fee: 2 };
    const outcome = scenario.do('transfer', { ...input, description: 'rent' });
    expect(outcome.result).toBeUndefined();
    expect(lastEntries(scenario)).toEqual([
      '1 ann debit 60 real → 40',
      '2 bob credit 60 real → 60',
      '3 ann debit 2 real → 38',
      '4 sys:fees#0 credit 2 real → 2',
    ]);
    const transferId = scenario.lastId('trf');
    expect(scenario.ledger.transfers.get(transferId)).toMatchObject({
      ...{ amount: 60n, fee: 2n, reversedAmount: 0n, status: 'settled', description: 'rent' },
    });
    expect(scenario.ledger.entries.slice(-4).map((entry) => entry.transferId)).toEqual(
      Array(4).fill(transferId),
    );
  });

  it('two partial reversals, which give back no fee', () => {
    const scenario = createScenario();
    scenario.do('transfer', { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 60, fee: 2 });
    const transferId = scenario.lastId('trf');
    const first = scenario.do('transfer.reverse', { transferId, amount: 25 });
    expect(first.result).toEqual({ transferId, amount: '25' });
    expect(scenario.ledger.transfers.get(transferId)).toMatchObject({
      ...{ reversedAmount: 25n, status: 'partially_reversed' },
    });
    const second = scenario.do('transfer.reverse', { transferId });
    expect(second.result).toEqual({ transferId, amount: '35' });
    expect(scenario.ledger.transfers.get(transferId)?.status).toBe('reversed');
    expect(scenario.ledger.wallet('ann').balance).toBe(98n);
    expect(lastEntries(scenario)).toEqual(['1 bob debit 35 real → 0', '2 ann credit 35 real → 98']);
  });

  it('a hold, captured in two parts, one to a user and one to the outside world', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60 });
    const holdId = scenario.lastId('hld');
    expect(lastEntries(scenario)).toEqual([
      '1 sys:clearing#0 debit 60 locked → -60',
      '2 ann credit 60 locked → 60',
    ]);
    const first = scenario.do('hold.capture', { holdId, amount: 20, toUserId: 'bob', ...EUR });
    expect(first.result).toEqual({ holdId, amount: '20', left: '40' });
    expect(lastEntries(scenario)).toEqual([
      '1 ann debit 20 locked → 40',
      '2 sys:clearing#0 credit 20 locked → -40',
      '3 ann debit 20 real → 80',
      '4 bob credit 20 real → 20',
    ]);
    const second = scenario.do('hold.capture', { holdId });
    expect(second.result).toEqual({ holdId, amount: '40', left: '0' });
    expect(scenario.ledger.holds.get(holdId)).toMatchObject({ captured: 60n, status: 'captured' });
    expect(scenario.ledger.wallet('ann')).toMatchObject({ balance: 40n, lockedBalance: 0n });
  });

  it('a release, of what a capture has left', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60 });
    const holdId = scenario.lastId('hld');
    scenario.do('hold.capture', { holdId, amount: 20 });
    expect(scenario.do('hold.release', { holdId }).result).toEqual({ holdId, released: '40' });
    expect(scenario.ledger.holds.get(holdId)).toMatchObject({
      ...{ captured: 20n, released: 40n, status: 'released' },
    });
    expect(scenario.ledger.wallet('ann')).toMatchObject({ balance: 80n, lockedBalance: 0n });
  });

  it('a conversion of bonus money', () => {
    const scenario = createScenario();
    expect(scenario.do('bonus.convert', ann).result).toEqual({ amount: '40' });
    expect(lastEntries(scenario)).toEqual([
      '1 ann debit 40 bonus → 0',
      '2 sys:bonus-pool#0 credit 40 bonus → 0',
      '3 sys:bonus-pool#0 debit 40 real → -40',
      '4 ann credit 40 real → 140',
    ]);
  });

  it('anything carry its description, metadata, effective time and wallet sequence', () => {
    const scenario = createScenario();
    const effectiveAt = '2029-12-31T00:00:00.000Z';
    const input = { ...bob, amount: 5, description: 'gift', effectiveAt };
    scenario.do('wallet.credit', input, { extras: { metadata: { order: '7' } } });
    const [, credited] = scenario.ledger.entries.slice(-2);
    expect(credited).toMatchObject({
      ...{ description: 'gift', metadata: { order: '7' }, seq: 1, createdAt: AT, currency: 'EUR' },
      ...{ effectiveAt: new Date(effectiveAt), tenantId: 'acme' },
    });
    expect(credited?._id).toBe(`${credited?.operationId ?? ''}.2`);
  });
});

describe('blocking a user', () => {
  it('blocks payments of every wallet, one opened later included, until unblocked', () => {
    const scenario = createScenario();
    scenario.do('user.update', { userId: 'ann', status: 'blocked' });
    scenario.do('wallet.open', { userId: 'ann', currency: 'USD', overdraftLimit: 50 });
    const pay = (currency: string) =>
      scenario.tell('wallet.debit', { ...ann, currency, amount: 1 });
    expect([pay('EUR'), pay('USD')]).toEqual(Array(2).fill('rejected user_blocked'));
    scenario.do('user.update', { userId: 'ann', status: 'active' });
    expect([pay('EUR'), pay('USD')]).toEqual(['succeeded', 'succeeded']);
  });

  it('keeps what an update does not name', () => {
    const scenario = createScenario();
    const contacts = { email: 'ann@example.org', locale: 'en' };
    scenario.do('user.update', {
      userId: 'ann',
      contacts,
      notifications: { 'transfer.settled': true },
    });
    scenario.do('user.update', {
      ...{ userId: 'ann', contacts: { locale: 'de' }, notifications: { 'hold.expired': false } },
    });
    expect(scenario.ledger.users.get('acme/ann')).toMatchObject({
      contacts: { email: 'ann@example.org', locale: 'de' },
      notifications: { 'transfer.settled': true, 'hold.expired': false },
      status: 'active',
    });
  });
});

describe('lifetime totals', () => {
  it('stay within what MongoDB can store, however often money goes in and out', () => {
    const scenario = createScenario();
    const wallet = scenario.ledger.wallet('bob');
    // As after ten thousand credits and debits of the largest amount.
    const worn = { ...wallet, totalCredited: 2n ** 63n - 5n, totalDebited: 2n ** 63n - 5n };
    (scenario.ledger.wallets as Map<string, unknown>).set(wallet._id, worn);
    scenario.tell('wallet.credit', { ...bob, amount: 10 });
    const { totalCredited } = scenario.ledger.wallet('bob');
    expect(BigInt.asIntN(64, totalCredited)).toBe(totalCredited);
  });
});
