import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../../core/settlement/decide.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { commands, inputOf, namerOf } from '../../../support/commands.ts';
import {
  AT,
  type MemoryLedger,
  createMemoryLedger,
  operationId,
  operationOf,
} from '../../../support/memory-ledger.ts';
import { type Command, type Model, emptyModel, lockedOf, modelDo } from '../../../support/model.ts';
import { check } from '../../../support/property.ts';

const RUNS = { numRuns: 150 };
/** For machines on which others work too. */
const PATIENCE_MS = 120_000;

function operationsOf(list: readonly Command[], timeOf: (index: number) => Date): OperationDoc[] {
  return list.map((command, index) => {
    const input = inputOf(command, { now: timeOf(index), name: namerOf(list, index) });
    return operationOf(command.type, input, { _id: operationId(index), createdAt: timeOf(index) });
  });
}

const isDone = ({ status }: Outcome): boolean => status === 'succeeded';

/** Real balances of everything that is not a user's, by `name/type/currency`. */
function othersOf(ledger: MemoryLedger): Record<string, number> {
  const names = new Map([
    ['sys:world#0', 'world'],
    ['sys:fees#0', 'fees'],
    ['sys:bonus-pool#0', 'pool'],
  ]);
  const sums = new Map<string, number>();
  for (const wallet of ledger.wallets.values()) {
    const name = names.get(wallet.userId);
    if (name === undefined) continue;
    sums.set(`${name}/real/${wallet.currency}`, Number(wallet.balance));
    sums.set(`${name}/bonus/${wallet.currency}`, Number(wallet.bonusBalance));
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0));
}

function walletsOf(ledger: MemoryLedger): Record<string, unknown> {
  const users = [...ledger.wallets.values()].filter(({ userId }) => !userId.startsWith('sys:'));
  return Object.fromEntries(
    users.map((wallet) => [
      `${wallet.userId}/${wallet.currency}`,
      {
        real: Number(wallet.balance),
        bonus: Number(wallet.bonusBalance),
        locked: Number(wallet.lockedBalance),
        overdraft: Number(wallet.overdraftLimit),
        status: wallet.status,
      },
    ]),
  );
}

function expectSame(ledger: MemoryLedger, model: Model): void {
  const wallets = [...model.wallets].map(([key, wallet]) => [
    key,
    { ...wallet, locked: lockedOf(model, key) },
  ]);
  expect(walletsOf(ledger)).toEqual(Object.fromEntries(wallets));
  const others = [...model.others].filter(([, sum]) => sum !== 0);
  expect(othersOf(ledger)).toEqual(Object.fromEntries(others));
}

const signed = ({ direction, amount }: { direction: string; amount: bigint }): bigint =>
  direction === 'credit' ? amount : -amount;

function expectBalancedOperations(ledger: MemoryLedger): void {
  const sums = new Map<string, bigint>();
  for (const entry of ledger.entries) {
    const key = `${entry.operationId} ${entry.currency} ${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signed(entry));
  }
  expect([...sums].filter(([, sum]) => sum !== 0n)).toEqual([]);
}

function expectFoldedWallets(ledger: MemoryLedger): void {
  for (const wallet of ledger.wallets.values()) {
    const mine = ledger.entries.filter((entry) => entry.walletId === wallet._id);
    const fold = { real: 0n, bonus: 0n, locked: 0n };
    for (const [index, entry] of mine.entries()) {
      fold[entry.balanceType] += signed(entry);
      expect(entry.seq).toBe(index + 1);
      expect(entry.balanceAfter).toBe(fold[entry.balanceType]);
      expect(entry.amount > 0n).toBe(true);
    }
    expect(wallet.seq).toBe(mine.length);
    const { balance: real, bonusBalance: bonus, lockedBalance: locked } = wallet;
    expect({ real, bonus, locked }).toEqual(fold);
    const isUsers = !wallet.userId.startsWith('sys:');
    expect(!isUsers || real - locked + wallet.overdraftLimit >= 0n).toBe(true);
  }
}

function expectLockedIsHeld(ledger: MemoryLedger): void {
  for (const wallet of ledger.wallets.values()) {
    if (wallet.userId.startsWith('sys:')) continue;
    const open = [...ledger.holds.values()].filter(
      (hold) => hold.userId === wallet.userId && hold.currency === wallet.currency,
    );
    const held = open
      .filter(({ status }) => status === 'open')
      .reduce((sum, hold) => sum + hold.amount - hold.captured - hold.released, 0n);
    expect(wallet.lockedBalance).toBe(held);
  }
}

function expectInvariants(ledger: MemoryLedger): void {
  expectBalancedOperations(ledger);
  expectFoldedWallets(ledger);
  expectLockedIsHeld(ledger);
  expect(ledger.bugs).toEqual([]);
}

describe('random sequences of all operation types', { timeout: PATIENCE_MS }, () => {
  it('are decided as an independent model decides them, with the same balances', () => {
    const timeOf = (index: number) => new Date(AT.getTime() + index * 1_000);
    const property = fc.property(commands, (list) => {
      const ledger = createMemoryLedger();
      const model = emptyModel();
      for (const [index, operation] of operationsOf(list, timeOf).entries()) {
        const command = list[index] as Command;
        const place = { name: operation._id.slice(3), now: index, nameOf: namerOf(list, index) };
        const expected = modelDo(model, command, place);
        const [outcome] = ledger.settle([operation], { at: timeOf(index) });
        expect([index, command.type, outcome?.status]).toEqual([
          ...[index, command.type],
          expected ? 'succeeded' : 'rejected',
        ]);
        expectSame(ledger, model);
        expectInvariants(ledger);
      }
    });
    check('ledger against the model', property, RUNS);
  });

  it('give the same ledger in any batches as one by one', () => {
    const property = fc.property(
      commands,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (list, sizes) => {
        const operations = operationsOf(list, () => AT);
        const single = createMemoryLedger();
        const alone = operations.flatMap((operation) => single.settle([operation]));
        const batched = createMemoryLedger();
        const together: Outcome[] = [];
        for (let start = 0, turn = 0; start < operations.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          together.push(...batched.settle(operations.slice(start, start + size)));
          start += size;
        }
        expect(together).toEqual(alone);
        expect(batched.entries).toEqual(single.entries);
        expect(batched.wallets).toEqual(single.wallets);
        expect(batched.holds).toEqual(single.holds);
        expect(batched.transfers).toEqual(single.transfers);
        expect(batched.users).toEqual(single.users);
        expect(batched.events).toEqual(single.events);
      },
    );
    check('batches', property, RUNS);
  });

  it('change nothing on a dry run, which says what the real run then does', () => {
    const property = fc.property(commands, (list) => {
      const ledger = createMemoryLedger();
      for (const [index, operation] of operationsOf(list, () => AT).entries()) {
        const before = structuredClone({ wallets: ledger.wallets, holds: ledger.holds });
        const dry = { ...operation, _id: operationId(index + 1_000), dryRun: true as const };
        const [told] = ledger.settle([dry]);
        expect({ wallets: ledger.wallets, holds: ledger.holds }).toEqual(before);
        const [done] = ledger.settle([operation]);
        const would = (told?.result as { readonly would?: string }).would;
        expect(would).toBe(done?.status);
      }
      expect(ledger.entries.some(({ operationId: id }) => id >= operationId(1_000))).toBe(false);
    });
    check('dry runs', property, { numRuns: 60 });
  });

  it('cover every type with success and with refusal, or the tests above prove little', () => {
    const seen = new Set<string>();
    const property = fc.property(commands, (list) => {
      const ledger = createMemoryLedger();
      for (const outcome of operationsOf(list, () => AT).flatMap((one) => ledger.settle([one]))) {
        seen.add(`${outcome.operation.type} ${isDone(outcome) ? 'done' : 'refused'}`);
      }
    });
    // The rarest of them is missing from one in ten rounds.
    for (let round = 0; round < 10 && seen.size < 28; round += 1) {
      check('coverage', property, { numRuns: 600 });
    }
    expect(seen.size).toBe(28);
  });
});
