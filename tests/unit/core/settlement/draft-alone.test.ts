import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '../../../../config/limits.ts';
import type { WalletDoc } from '../../../../core/ledger/documents.ts';
import { OPERATIONS } from '../../../../core/operation-types/registry.ts';
import { type Registry, defineOperation } from '../../../../core/operations/define.ts';
import { operationId, operationOf } from '../../../support/memory-ledger.ts';
import { EUR, type Scenario, createScenario } from '../../../support/scenario.ts';

/** Its draft is accepted by its own decision and refused by the book. */
const conjuring = defineOperation<unknown>({
  ...({ type: 'test.conjures', version: 1, mode: 'atomic', summary: 'for tests' } as const),
  input: z.any(),
  ordering: () => ({ user: 'ann' }),
  touches: () => ({ wallets: [{ userId: 'ann', ...EUR }] }),
  decide: (draft) => {
    const wallet = draft.wallet('ann', 'EUR');
    if (wallet === undefined) throw new Error('no wallet');
    draft.putWallet({ ...wallet, balance: wallet.balance + 1_000n });
    return { ok: true, value: undefined };
  },
});
const registry: Registry = { ...OPERATIONS, [conjuring.type]: conjuring };

const credit = (userId: string, number: number) =>
  operationOf('wallet.credit', { userId, ...EUR, amount: 1 }, { _id: operationId(number) });

function store({ ledger }: Scenario, wallet: WalletDoc): void {
  (ledger.wallets as Map<string, WalletDoc>).set(wallet._id, wallet);
}

describe('whatever an operation throws in a batch', () => {
  it('is its own, also on the way into the book: its neighbours settle in the same batch', () => {
    const { ledger } = createScenario();
    const outcomes = ledger.settle(
      [
        credit('bob', 101),
        operationOf('test.conjures', {}, { _id: operationId(102) }),
        credit('ann', 103),
      ],
      { registry },
    );
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['succeeded', 'needs_attention', 'succeeded'],
    ]);
    expect(ledger.bugs).toHaveLength(1);
    expect(ledger.wallet('ann').balance).toBe(101n);
    expect(ledger.wallet('bob').balance).toBe(1n);
  });

  it('is its own, also for a wallet that was stored wrong', () => {
    const scenario = createScenario();
    store(scenario, { ...scenario.ledger.wallet('bob'), balance: 7n });
    const outcomes = scenario.ledger.settle([credit('bob', 101), credit('ann', 102)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['needs_attention', 'succeeded']);
  });
});

describe('a stripe of a system wallet that is full', () => {
  it('is written no more: the next takes over, in both directions', () => {
    const scenario = createScenario();
    const { ledger } = scenario;
    const [world] = [...ledger.wallets.values()].filter(({ userId }) => userId === 'sys:world#0');
    if (world === undefined) throw new Error('no stripe');
    const full = -LIMITS.systemStripeMinorMax - 1n;
    store(scenario, { ...world, balance: full, totalDebited: world.totalCredited - full });
    for (const amount of [5, 6]) {
      expect(scenario.tell('wallet.credit', { userId: 'bob', ...EUR, amount })).toBe('succeeded');
    }
    expect(scenario.tell('wallet.debit', { userId: 'bob', ...EUR, amount: 4 })).toBe('succeeded');
    const next = `sys:world#${LIMITS.systemStripes}`;
    const stripes = new Map([...ledger.wallets.values()].map((one) => [one.userId, one.balance]));
    expect(stripes.get('sys:world#0')).toBe(full);
    expect(stripes.get(next)).toBe(-7n);
  });
});
