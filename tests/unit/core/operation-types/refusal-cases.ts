import { expect } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import type { AtomicType, OperationType } from '../../../../core/operation-types/registry.ts';
import { AT } from '../../../support/memory-ledger.ts';
import { EUR, type Scenario } from '../../../support/scenario.ts';

type Step = readonly [type: OperationType, input: unknown];

/** What happens first, then the operation and what becomes of it. */
export interface Case {
  readonly before?: (scenario: Scenario) => void;
  readonly input: object | ((scenario: Scenario) => object);
  readonly becomes: string;
}

export const ann = { userId: 'ann', ...EUR };
const bob = { userId: 'bob', ...EUR };
const cyd = { userId: 'cyd', ...EUR };
const bogus = 'f'.repeat(32);
export const pay = (amount: number, extras: object = {}) => ({
  ...{ fromUserId: 'ann', toUserId: 'bob', ...EUR, amount },
  ...extras,
});

const steps =
  (...list: readonly Step[]) =>
  (scenario: Scenario): void => {
    for (const [type, input] of list) expect(scenario.tell(type, input)).toBe('succeeded');
  };
const freezes = steps(['wallet.update', { ...ann, status: 'frozen' }]);
const blocks = steps(['user.update', { userId: 'ann', status: 'blocked' }]);
const closesBob = steps(['wallet.update', { ...bob, status: 'closed' }]);
const fills = (userId: string) => (scenario: Scenario) => {
  // By hand: it would take thousands of credits to get there.
  const wallet = scenario.ledger.wallet(userId);
  const balance = LIMITS.balanceMinorMax - 5n;
  const full = { ...wallet, balance, totalCredited: balance + wallet.totalDebited };
  (scenario.ledger.wallets as Map<string, unknown>).set(wallet._id, full);
};
const transfers = steps(['transfer', pay(60)]);
const holds = steps(['hold.place', { ...ann, amount: 60 }]);
const lastHold = (extras: object) => (scenario: Scenario) => ({
  holdId: scenario.lastId('hld'),
  ...extras,
});
/** Stepwise types are decided by their steps (tests/conformance, tests/sagas). */
export const CASES: Readonly<Record<Exclude<AtomicType, 'batch'>, readonly Case[]>> = {
  'user.create': [
    { input: { userId: 'dan', wallets: [EUR] }, becomes: 'succeeded' },
    { input: { userId: 'ann' }, becomes: 'rejected user_exists' },
  ],
  'user.update': [
    { input: { userId: 'ann', displayName: 'Ann' }, becomes: 'succeeded' },
    { input: { userId: 'nobody', displayName: 'x' }, becomes: 'rejected user_not_found' },
  ],
  'wallet.open': [
    { input: { userId: 'cyd', ...EUR }, becomes: 'succeeded' },
    { input: { userId: 'nobody', ...EUR }, becomes: 'rejected user_not_found' },
    { input: ann, becomes: 'rejected wallet_exists' },
    { before: closesBob, input: bob, becomes: 'rejected wallet_exists' },
  ],
  'wallet.update': [
    { input: { ...ann, overdraftLimit: 5 }, becomes: 'succeeded' },
    { input: { ...bob, status: 'closed' }, becomes: 'succeeded' },
    { input: { ...cyd, status: 'frozen' }, becomes: 'rejected wallet_not_found' },
    { input: { ...ann, status: 'closed' }, becomes: 'rejected wallet_not_empty' },
    {
      before: steps(['bonus.award', { ...bob, amount: 1 }]),
      input: { ...bob, status: 'closed' },
      becomes: 'rejected wallet_not_empty',
    },
    {
      before: closesBob,
      input: { ...bob, status: 'active' },
      becomes: 'rejected wallet_closed',
    },
    {
      before: steps(
        ['wallet.update', { ...bob, overdraftLimit: 50 }],
        ['wallet.debit', { ...bob, amount: 30 }],
      ),
      input: { ...bob, overdraftLimit: 29 },
      becomes: 'rejected overdraft_in_use',
    },
    {
      before: steps(
        ['wallet.update', { ...bob, overdraftLimit: 50 }],
        ['wallet.debit', { ...bob, amount: 30 }],
      ),
      input: { ...bob, overdraftLimit: 30 },
      becomes: 'succeeded',
    },
    // What is locked counts as spent: the limit cannot be taken from under a hold.
    {
      before: steps(
        ['wallet.update', { ...bob, overdraftLimit: 50 }],
        ['hold.place', { ...bob, amount: 30 }],
      ),
      input: { ...bob, overdraftLimit: 29 },
      becomes: 'rejected overdraft_in_use',
    },
    {
      before: steps(
        ['wallet.update', { ...bob, overdraftLimit: 50 }],
        ['hold.place', { ...bob, amount: 30 }],
      ),
      input: { ...bob, overdraftLimit: 30 },
      becomes: 'succeeded',
    },
  ],
  'wallet.credit': [
    { input: { ...ann, amount: 1 }, becomes: 'succeeded' },
    { before: freezes, input: { ...ann, amount: 1, fee: '0' }, becomes: 'succeeded' },
    { before: freezes, input: { ...ann, amount: 1 }, becomes: 'succeeded' },
    { before: blocks, input: { ...ann, amount: 1 }, becomes: 'succeeded' },
    { input: { ...cyd, amount: 1 }, becomes: 'rejected wallet_not_found' },
    { before: closesBob, input: { ...bob, amount: 1 }, becomes: 'rejected wallet_closed' },
    { before: fills('bob'), input: { ...bob, amount: 6 }, becomes: 'rejected balance_limit' },
    { before: fills('bob'), input: { ...bob, amount: 5 }, becomes: 'succeeded' },
    {
      input: { ...bob, amount: 5, balanceType: 'bonus', fee: 1 },
      becomes: 'rejected insufficient_funds',
    },
    { before: freezes, input: { ...ann, amount: 9, fee: 1 }, becomes: 'rejected wallet_frozen' },
  ],
  'wallet.debit': [
    { input: { ...ann, amount: 100 }, becomes: 'succeeded' },
    { input: { ...ann, amount: 100, fee: 0 }, becomes: 'succeeded' },
    { input: { ...ann, amount: 40, balanceType: 'bonus' }, becomes: 'succeeded' },
    { input: { ...ann, amount: 101 }, becomes: 'rejected insufficient_funds' },
    { input: { ...ann, amount: 100, fee: 1 }, becomes: 'rejected insufficient_funds' },
    {
      input: { ...ann, amount: 41, balanceType: 'bonus' },
      becomes: 'rejected insufficient_bonus',
    },
    { input: { ...cyd, amount: 1 }, becomes: 'rejected wallet_not_found' },
    { before: freezes, input: { ...ann, amount: 1 }, becomes: 'rejected wallet_frozen' },
    { before: blocks, input: { ...ann, amount: 1 }, becomes: 'rejected user_blocked' },
    { before: closesBob, input: { ...bob, amount: 1 }, becomes: 'rejected wallet_closed' },
    {
      before: freezes,
      input: { ...ann, amount: 1, balanceType: 'bonus' },
      becomes: 'rejected wallet_frozen',
    },
  ],
  transfer: [
    { input: pay(100), becomes: 'succeeded' },
    { input: pay(99, { fee: 1 }), becomes: 'succeeded' },
    { input: pay(100, { fee: '0' }), becomes: 'succeeded' },
    { input: pay(101), becomes: 'rejected insufficient_funds' },
    { input: pay(100, { fee: 1 }), becomes: 'rejected insufficient_funds' },
    { input: pay(1, { toUserId: 'cyd' }), becomes: 'rejected wallet_not_found' },
    { input: pay(1, { fromUserId: 'cyd' }), becomes: 'rejected wallet_not_found' },
    { before: freezes, input: pay(1), becomes: 'rejected wallet_frozen' },
    { before: blocks, input: pay(1), becomes: 'rejected user_blocked' },
    { before: closesBob, input: pay(1), becomes: 'rejected wallet_closed' },
    { before: fills('bob'), input: pay(6), becomes: 'rejected balance_limit' },
    { before: holds, input: pay(41), becomes: 'rejected insufficient_funds' },
  ],
  'transfer.reverse': [
    { input: { transferId: `trf_${bogus}` }, becomes: 'rejected transfer_not_found' },
    {
      before: transfers,
      input: (scenario: Scenario) => ({ transferId: scenario.lastId('trf') }),
      becomes: 'succeeded',
    },
    {
      before: transfers,
      input: (scenario: Scenario) => ({ transferId: scenario.lastId('trf'), amount: 61 }),
      becomes: 'rejected transfer_reversed',
    },
    {
      before: transfers,
      input: (scenario: Scenario) => {
        const transferId = scenario.lastId('trf');
        scenario.do('transfer.reverse', { transferId, amount: 25 });
        return { transferId, amount: 36 };
      },
      becomes: 'rejected transfer_reversed',
    },
    {
      before: transfers,
      input: (scenario: Scenario) => {
        const transferId = scenario.lastId('trf');
        scenario.do('transfer', pay(1, { fromUserId: 'bob', toUserId: 'ann' }));
        return { transferId };
      },
      becomes: 'rejected insufficient_funds',
    },
    {
      before: transfers,
      input: (scenario: Scenario) => {
        const transferId = scenario.lastId('trf');
        scenario.do('wallet.update', { ...bob, status: 'frozen' });
        return { transferId };
      },
      becomes: 'rejected wallet_frozen',
    },
    {
      before: transfers,
      input: (scenario: Scenario) => {
        const transferId = scenario.lastId('trf');
        scenario.do('transfer.reverse', { transferId });
        return { transferId };
      },
      becomes: 'rejected transfer_reversed',
    },
  ],
  'hold.place': [
    { input: { ...ann, amount: 100 }, becomes: 'succeeded' },
    { input: { ...ann, amount: 101 }, becomes: 'rejected insufficient_funds' },
    { before: holds, input: { ...ann, amount: 41 }, becomes: 'rejected insufficient_funds' },
    { input: { ...cyd, amount: 1 }, becomes: 'rejected wallet_not_found' },
    { before: freezes, input: { ...ann, amount: 1 }, becomes: 'rejected wallet_frozen' },
    { before: blocks, input: { ...ann, amount: 1 }, becomes: 'rejected user_blocked' },
    {
      input: { ...ann, amount: 1, expiresAt: AT.toISOString() },
      becomes: 'rejected hold_expired',
    },
  ],
  'hold.capture': [
    { input: { holdId: `hld_${bogus}` }, becomes: 'rejected hold_not_found' },
    { before: holds, input: lastHold({}), becomes: 'succeeded' },
    { before: holds, input: lastHold({ toUserId: 'bob', ...EUR }), becomes: 'succeeded' },
    { before: holds, input: lastHold({ amount: 61 }), becomes: 'rejected hold_exceeded' },
    {
      before: holds,
      input: lastHold({ toUserId: 'ann', ...EUR }),
      becomes: 'rejected same_wallet',
    },
    {
      before: holds,
      input: lastHold({ toUserId: 'bob', currency: 'USD' }),
      becomes: 'rejected wallet_not_found',
    },
    {
      before: holds,
      input: lastHold({ toUserId: 'cyd', ...EUR }),
      becomes: 'rejected wallet_not_found',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        fills('bob')(scenario);
        return { holdId, amount: 6, toUserId: 'bob', ...EUR };
      },
      becomes: 'rejected balance_limit',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        fills('bob')(scenario);
        return { holdId, amount: 5, toUserId: 'bob', ...EUR };
      },
      becomes: 'succeeded',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        scenario.do('hold.release', { holdId });
        return { holdId };
      },
      becomes: 'rejected hold_not_open',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        freezes(scenario);
        return { holdId };
      },
      becomes: 'rejected wallet_frozen',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        blocks(scenario);
        return { holdId };
      },
      becomes: 'rejected user_blocked',
    },
  ],
  'hold.release': [
    { input: { holdId: `hld_${bogus}` }, becomes: 'rejected hold_not_found' },
    { before: holds, input: lastHold({}), becomes: 'succeeded' },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        scenario.do('hold.capture', { holdId });
        return { holdId };
      },
      becomes: 'rejected hold_not_open',
    },
    {
      before: holds,
      input: (scenario: Scenario) => {
        const holdId = scenario.lastId('hld');
        freezes(scenario);
        return { holdId };
      },
      becomes: 'succeeded',
    },
  ],
  'bonus.award': [
    { input: { ...ann, amount: 1 }, becomes: 'succeeded' },
    { input: { ...cyd, amount: 1 }, becomes: 'rejected wallet_not_found' },
    { before: closesBob, input: { ...bob, amount: 1 }, becomes: 'rejected wallet_closed' },
    { before: fills('bob'), input: { ...bob, amount: 6 }, becomes: 'rejected balance_limit' },
  ],
  'bonus.convert': [
    { input: ann, becomes: 'succeeded' },
    { input: { ...ann, amount: 40 }, becomes: 'succeeded' },
    { input: { ...ann, amount: 41 }, becomes: 'rejected insufficient_bonus' },
    { input: bob, becomes: 'rejected insufficient_bonus' },
    { input: cyd, becomes: 'rejected wallet_not_found' },
    { before: freezes, input: ann, becomes: 'rejected wallet_frozen' },
    { before: blocks, input: ann, becomes: 'rejected user_blocked' },
    { before: fills('ann'), input: ann, becomes: 'rejected balance_limit' },
  ],
};
