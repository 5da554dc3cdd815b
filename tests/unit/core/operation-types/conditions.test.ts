import { describe, expect, it } from 'vitest';
import {
  AT,
  createMemoryLedger,
  operationId,
  operationOf,
} from '../../../support/memory-ledger.ts';
import { EUR, createScenario } from '../../../support/scenario.ts';

const ann = { userId: 'ann', ...EUR };
const bob = { userId: 'bob', ...EUR };
const credit = { ...ann, amount: 5 };

describe('preconditions', () => {
  it.each([
    [{ ifAvailableAtLeast: '100' }, 'succeeded'],
    [{ ifAvailableAtLeast: '101' }, 'rejected precondition_available'],
    [{ ifWalletSeq: 2 }, 'succeeded'],
    [{ ifWalletSeq: 1 }, 'rejected precondition_seq'],
    [{ ifWalletSeq: 3 }, 'rejected precondition_seq'],
    [{ ifAvailableAtLeast: '100', ifWalletSeq: 3 }, 'rejected precondition_seq'],
  ])('are checked at settlement: %j → %s', (preconditions, becomes) => {
    const scenario = createScenario();
    expect(scenario.tell('wallet.credit', credit, { extras: { preconditions } })).toBe(becomes);
  });

  it('see what stands before them in the same batch', () => {
    const scenario = createScenario();
    const extras = { preconditions: { ifWalletSeq: 3 } };
    const outcomes = scenario.ledger.settle([
      operationOf('wallet.credit', credit, { _id: operationId(101) }),
      operationOf('wallet.credit', credit, { _id: operationId(102), ...extras }),
      operationOf('wallet.credit', credit, { _id: operationId(103), ...extras }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'rejected']);
  });

  it('count held funds as not available', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60 });
    const extras = { preconditions: { ifAvailableAtLeast: '41' } };
    expect(scenario.tell('wallet.credit', credit, { extras })).toBe(
      'rejected precondition_available',
    );
  });

  it('refuse when there is no wallet to look at', () => {
    const scenario = createScenario();
    const extras = { preconditions: { ifWalletSeq: 0 } };
    expect(scenario.tell('wallet.credit', { ...credit, userId: 'cyd' }, { extras })).toBe(
      'rejected wallet_not_found',
    );
  });
});

describe('a deadline', () => {
  it.each([
    [AT.getTime() + 1, 'succeeded'],
    [AT.getTime(), 'expired deadline_passed'],
    [AT.getTime() - 1, 'expired deadline_passed'],
  ])('at %d, settled at AT, ends as %s', (time, becomes) => {
    const scenario = createScenario();
    const extras = { deadline: new Date(time) };
    expect(scenario.tell('wallet.credit', credit, { extras })).toBe(becomes);
    const entries = becomes === 'succeeded' ? 6 : 4;
    expect(scenario.ledger.entries).toHaveLength(entries);
  });
});

describe('a dry run', () => {
  const extras = { dryRun: true } as const;

  it('says what would happen, entry by entry, and leaves no trace', () => {
    const scenario = createScenario();
    const before = structuredClone(scenario.ledger.wallets);
    const input = { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 60 };
    const outcome = scenario.do('transfer', input, { extras });
    expect(outcome).toMatchObject({ status: 'succeeded' });
    expect(outcome.result).toEqual({
      ...{ dryRun: true, would: 'succeeded' },
      entries: [
        ['ann', 'debit', '40'],
        ['bob', 'credit', '60'],
      ].map(([userId, direction, balanceAfter]) => ({
        ...{ userId, ...EUR, balanceType: 'real', direction, amount: '60', balanceAfter },
      })),
    });
    expect(scenario.ledger.wallets).toEqual(before);
    expect(scenario.ledger.transfers.size).toBe(0);
    expect(scenario.ledger.events.at(-1)?.name).toBe('operation.succeeded');
  });

  it('says why it would be refused', () => {
    const scenario = createScenario();
    const outcome = scenario.do('wallet.debit', { ...ann, amount: 101 }, { extras });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      result: { dryRun: true, would: 'rejected', error: { code: 'insufficient_funds' } },
    });
    expect(outcome.error).toBeUndefined();
  });

  it('is not seen by what stands behind it in the same batch', () => {
    const scenario = createScenario();
    const outcomes = scenario.ledger.settle([
      operationOf('wallet.debit', { ...ann, amount: 100 }, { _id: operationId(101), ...extras }),
      operationOf('wallet.debit', { ...ann, amount: 100 }, { _id: operationId(102) }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(scenario.ledger.wallet('ann').balance).toBe(0n);
  });
});

describe('a batch', () => {
  const item = (type: string, input: unknown) => ({ type, input });

  it('does everything in order, under one operation, with its legs numbered through', () => {
    const scenario = createScenario();
    const outcome = scenario.do('batch', {
      operations: [
        item('user.create', { userId: 'dan', wallets: [EUR] }),
        item('wallet.credit', { userId: 'dan', ...EUR, amount: 9 }),
        item('transfer', { fromUserId: 'dan', toUserId: 'bob', ...EUR, amount: 9 }),
        item('hold.place', { ...ann, amount: 1 }),
      ],
    });
    expect(outcome.status).toBe('succeeded');
    const { _id: id } = outcome.operation;
    const mine = scenario.ledger.entries.filter(({ operationId: of }) => of === id);
    expect(mine.map(({ _id }) => _id)).toEqual([1, 2, 3, 4, 5, 6].map((leg) => `${id}.${leg}`));
    expect(scenario.ledger.transfers.has(`${scenario.lastId('trf')}-2`)).toBe(true);
    expect(scenario.ledger.holds.has(`${scenario.lastId('hld')}-3`)).toBe(true);
    expect(scenario.ledger.wallet('bob').balance).toBe(9n);
  });

  it('does nothing at all when one item is refused, and points at it', () => {
    const scenario = createScenario();
    const before = structuredClone(scenario.ledger.wallets);
    const outcome = scenario.do('batch', {
      operations: [
        item('transfer', { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 60 }),
        item('user.create', { userId: 'dan' }),
        item('wallet.debit', { ...ann, amount: 41 }),
        item('wallet.debit', { ...ann, amount: 1 }),
      ],
    });
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'batch_item_rejected' } });
    expect(outcome.error?.errors).toEqual([
      {
        pointer: '/operations/2',
        detail: expect.stringMatching(/^insufficient_funds: 41 EUR needed, 40 /),
      },
    ]);
    expect(scenario.ledger.wallets).toEqual(before);
    expect(scenario.ledger.users.has('acme/dan')).toBe(false);
    expect(scenario.ledger.entries).toHaveLength(4);
  });

  it('sees inside what it has done so far: blocking a user stops the rest', () => {
    const scenario = createScenario();
    const outcome = scenario.do('batch', {
      operations: [
        item('user.update', { userId: 'ann', status: 'blocked' }),
        item('wallet.debit', { ...ann, amount: 1 }),
      ],
    });
    expect(outcome.error?.errors?.[0]?.detail).toMatch(/^user_blocked/);
    expect(scenario.ledger.wallet('ann').ownerBlocked).toBe(false);
  });

  it.each([
    ['nothing in it', []],
    ['more than its limit', Array(1_001).fill(item('wallet.credit', credit))],
    ['a batch in it', [item('batch', { operations: [item('wallet.credit', credit)] })]],
    ['a type that does not exist', [item('wallet.steal', credit)]],
    ['an item with a field too many', [{ ...item('wallet.credit', credit), idempotencyKey: 'x' }]],
  ])('with %s is no batch', (_what, operations) => {
    expect(() => operationOf('batch', { operations })).toThrow();
  });
});

describe('system wallets', () => {
  it('are striped: each transaction writes its own, and the sum is what counts', () => {
    const scenario = createScenario();
    scenario.do('wallet.credit', { ...bob, amount: 7 }, { stripe: 3 });
    scenario.do('wallet.credit', { ...bob, amount: 8, fee: 2 }, { stripe: 5 });
    const system = [...scenario.ledger.wallets.values()].filter(({ userId }) =>
      userId.startsWith('sys:'),
    );
    const balances = Object.fromEntries(system.map((one) => [one.userId, one.balance]));
    expect(balances).toMatchObject({
      ...{ 'sys:world#0': -100n, 'sys:world#3': -7n, 'sys:world#5': -8n, 'sys:fees#5': 2n },
    });
    const all = [...scenario.ledger.wallets.values()];
    expect(all.reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n);
  });

  it('serve a capture in another stripe than the one that placed the hold', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60 }, { stripe: 1 });
    const holdId = scenario.lastId('hld');
    for (const stripe of [2, 1, 2]) {
      expect(scenario.tell('hold.capture', { holdId, amount: 10 }, { stripe })).toBe('succeeded');
    }
    expect(scenario.tell('hold.release', { holdId }, { stripe: 3 })).toBe('succeeded');
  });
});

describe('a bug in a decision', () => {
  it('parks its operation, is reported, and spoils nothing around it', () => {
    const ledger = createMemoryLedger();
    const throwing = {
      ...{ type: 'test', version: 1, mode: 'atomic' as const, summary: '', input: undefined },
      bind: () => ({
        ...{ ordering: { user: 'ann' }, mainWallet: undefined },
        touches: { users: [], wallets: [], walletsOf: [], systems: [], transfers: [], holds: [] },
        decide: () => {
          throw new Error('a bug');
        },
        describe: () => ({}),
      }),
    };
    const registry = { test: throwing } as never;
    const [outcome] = ledger.settle([operationOf('test', {})], { registry });
    expect(outcome).toMatchObject({
      ...{ status: 'needs_attention', error: { code: 'poison_operation' } },
    });
    expect(outcome?.error?.detail).not.toContain('a bug');
    expect(ledger.bugs).toHaveLength(1);
    expect(ledger.events.map(({ name }) => name)).toEqual(['operation.needs_attention']);
  });
});
