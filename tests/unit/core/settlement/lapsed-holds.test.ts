import { describe, expect, it } from 'vitest';
import { AT } from '../../../support/memory-ledger.ts';
import { EUR, type Scenario, createScenario } from '../../../support/scenario.ts';

const ANN = { userId: 'ann', ...EUR };
const later = (seconds: number): Date => new Date(AT.getTime() + seconds * 1_000);
const EXPIRED = { at: later(11) };

/** All of Ann's 100 in holds of these amounts, which expire after ten seconds. */
function hold(scenario: Scenario, ...amounts: readonly number[]): readonly string[] {
  const expiresAt = later(10).toISOString();
  return amounts.map((amount) => {
    expect(scenario.tell('hold.place', { ...ANN, amount, expiresAt })).toBe('succeeded');
    return scenario.lastId('hld');
  });
}

function stateOf({ ledger }: Scenario) {
  const { balance, lockedBalance } = ledger.wallet('ann');
  return { balance, lockedBalance, holds: [...ledger.holds.values()].map(({ status }) => status) };
}

describe('from the expiry of a hold, before recovery has come by,', () => {
  it('its funds can be spent', () => {
    const scenario = createScenario();
    const [holdId] = hold(scenario, 100);
    expect(scenario.tell('wallet.debit', { ...ANN, amount: 100 }, EXPIRED)).toBe('succeeded');
    expect(stateOf(scenario)).toEqual({ balance: 0n, lockedBalance: 0n, holds: ['expired'] });
    const told = scenario.ledger.events.filter(({ name }) => name === 'hold.expired');
    expect(told.map(({ data }) => data?.['holdId'])).toEqual([holdId]);
    // What recovery asks for comes too late, and takes nothing twice.
    const after = scenario.tell('hold.release', { holdId }, { at: later(12) });
    expect(after).toBe('rejected hold_not_open');
  });

  it.each([
    ['held again', 'hold.place', { ...ANN, amount: 90 }],
    ['transferred', 'transfer', { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 90 }],
    ['spent in a batch', 'batch', batchOf('wallet.debit', { ...ANN, amount: 90 })],
    ['without an overdraft', 'wallet.update', { ...ANN, overdraftLimit: 0 }],
  ] as const)('they can be %s', (_what, type, input) => {
    const scenario = createScenario();
    scenario.do('wallet.update', { ...ANN, overdraftLimit: 50 });
    hold(scenario, 70, 80);
    expect(scenario.tell(type, input, EXPIRED)).toBe('succeeded');
    expect(stateOf(scenario).holds.slice(0, 2)).toEqual(['expired', 'expired']);
  });

  it('they go back to whom a transfer came from', () => {
    const scenario = createScenario();
    scenario.do('transfer', { fromUserId: 'bob', toUserId: 'ann', ...EUR, amount: 1 });
    scenario.do('wallet.credit', { userId: 'bob', ...EUR, amount: 5 });
    scenario.do('transfer', { fromUserId: 'bob', toUserId: 'ann', ...EUR, amount: 5 });
    const transferId = scenario.lastId('trf');
    hold(scenario, 105);
    expect(scenario.tell('transfer.reverse', { transferId }, EXPIRED)).toBe('succeeded');
  });

  it('a minimum of what is available counts them, and the seq is still the one that is known', () => {
    const scenario = createScenario();
    hold(scenario, 100);
    const ifWalletSeq = scenario.ledger.wallet('ann').seq;
    const preconditions = { ifAvailableAtLeast: '100', ifWalletSeq };
    const options = { ...EXPIRED, extras: { preconditions } };
    expect(scenario.tell('wallet.debit', { ...ANN, amount: 1 }, options)).toBe('succeeded');
  });

  it('a dry run says so, and gives nothing back', () => {
    const scenario = createScenario();
    hold(scenario, 100);
    const options = { ...EXPIRED, extras: { dryRun: true as const } };
    const { result } = scenario.do('wallet.debit', { ...ANN, amount: 100 }, options);
    expect(result).toMatchObject({ would: 'succeeded' });
    expect(stateOf(scenario)).toEqual({ balance: 100n, lockedBalance: 100n, holds: ['open'] });
  });

  it('nothing is given back for what is refused all the same', () => {
    const scenario = createScenario();
    hold(scenario, 100);
    const told = scenario.tell('wallet.debit', { ...ANN, amount: 101 }, EXPIRED);
    expect(told).toBe('rejected insufficient_funds');
    expect(stateOf(scenario)).toEqual({ balance: 100n, lockedBalance: 100n, holds: ['open'] });
  });
});

describe('a hold keeps its funds', () => {
  it('from what was accepted before its expiry and is settled after it', () => {
    const scenario = createScenario();
    hold(scenario, 100);
    const options = { at: later(11), extras: { createdAt: later(9) } };
    const told = scenario.tell('wallet.debit', { ...ANN, amount: 1 }, options);
    expect(told).toBe('rejected insufficient_funds');
  });

  it('while it is of an operation that alone may end it', () => {
    const scenario = createScenario();
    const [holdId = ''] = hold(scenario, 100);
    const holds = scenario.ledger.holds as Map<string, unknown>;
    holds.set(holdId, { ...scenario.ledger.holds.get(holdId), managedBy: 'withdrawal' });
    const told = scenario.tell('wallet.debit', { ...ANN, amount: 1 }, EXPIRED);
    expect(told).toBe('rejected insufficient_funds');
  });
});

function batchOf(type: string, input: unknown) {
  return { operations: [{ type, input }] };
}
