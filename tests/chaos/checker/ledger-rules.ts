import { type BalanceType, type Evidence, type WalletRow, isOver } from './evidence.ts';
import { type Finding, type Rule, addTo, byId, grouped, sumsText } from './rule.ts';
import { seconds } from './acceptance-rules.ts';

const isSystem = (userId: string): boolean => userId.startsWith('sys:');

const legsSumToZero: Rule = {
  name: "an operation's entries sum to zero",
  breaks: 'P3, I1',
  check: ({ entries }) =>
    [...grouped(entries, ({ operationId }) => operationId)].flatMap(([id, legs]): Finding[] => {
      const sums = new Map<string, bigint>();
      for (const { currency, balanceType, amount } of legs) {
        addTo(sums, `${currency} ${balanceType}`, amount);
      }
      const text = sumsText(sums);
      return text === '' ? [] : [[id, `${text} left over`]];
    }),
};

const conserved: Rule = {
  name: 'money is conserved while things break',
  breaks: 'P3, I1, I3',
  check: ({ samples }) =>
    samples.flatMap(
      ({ atMs, wallets, entries = new Map<string, bigint>(), overspent }): Finding[] => {
        const text = [sumsText(wallets), sumsText(entries)]
          .filter((part) => part !== '')
          .join('; ');
        const at = `at ${seconds(atMs)}`;
        return [
          ...(text === '' ? [] : [[at, `sums are ${text}`] as const]),
          ...(overspent.length === 0 ? [] : [[at, `overspent: ${overspent.join(', ')}`] as const]),
        ];
      },
    ),
};

const walletChain: Rule = {
  name: "a wallet's entries form a chain",
  breaks: 'P3, I2',
  check: ({ entries }) =>
    [...grouped(entries, ({ walletId }) => walletId)].flatMap(([walletId, own]): Finding[] => {
      const inOrder = [...own].sort((a, b) => a.seq - b.seq);
      const after = new Map<BalanceType, bigint>();
      return inOrder.flatMap((entry, index): Finding[] => {
        const expected = (after.get(entry.balanceType) ?? 0n) + entry.amount;
        after.set(entry.balanceType, entry.balanceAfter);
        if (entry.seq !== index + 1) {
          return [
            [walletId, `seq ${String(entry.seq)} in place ${String(index + 1)} (${entry.id})`],
          ];
        }
        if (entry.balanceAfter === expected) return [];
        const said = `${String(entry.balanceAfter)} after ${entry.id}, not ${String(expected)}`;
        return [[walletId, `${entry.balanceType} ${said}`]];
      });
    }),
};

const walletFold: Rule = {
  name: 'a balance is the fold of its entries',
  breaks: 'P3, I2',
  check: ({ wallets, entries }) => {
    const own = grouped(entries, ({ walletId }) => walletId);
    const stored = byId(wallets);
    const missing = [...own.keys()].filter((id) => !stored.has(id));
    const folds = wallets.flatMap((wallet): Finding[] => {
      const sums = { real: 0n, bonus: 0n, locked: 0n };
      const list = own.get(wallet.id) ?? [];
      for (const { balanceType, amount } of list) sums[balanceType] += amount;
      const stored = `${balancesOf(wallet)} seq ${String(wallet.seq)}`;
      const folded = `${textOf(sums.real, sums.bonus, sums.locked)} seq ${String(list.length)}`;
      return stored === folded ? [] : [[wallet.id, `stored ${stored}, the log says ${folded}`]];
    });
    return [...folds, ...missing.map((id): Finding => [id, 'has entries, and does not exist'])];
  },
};

function balancesOf({ balance, bonusBalance, lockedBalance }: WalletRow): string {
  return textOf(balance, bonusBalance, lockedBalance);
}

function textOf(real: bigint, bonus: bigint, locked: bigint): string {
  return `real ${String(real)} bonus ${String(bonus)} locked ${String(locked)}`;
}

const notOverspent: Rule = {
  name: 'nobody spends what is not there',
  breaks: 'I3',
  check: ({ wallets }) =>
    wallets
      .filter(({ userId }) => !isSystem(userId))
      .filter(
        ({ balance, bonusBalance, lockedBalance, overdraftLimit }) =>
          balance - lockedBalance + overdraftLimit < 0n || bonusBalance < 0n || lockedBalance < 0n,
      )
      .map((wallet) => [wallet.id, `${wallet.userId}: ${balancesOf(wallet)}`]),
};

const holdsAddUp: Rule = {
  name: 'what is locked is what open holds hold',
  breaks: 'I3',
  check: ({ wallets, holds, operations }) => {
    const stored = byId(operations);
    const locked = new Map<string, bigint>();
    const orphans: Finding[] = [];
    for (const {
      id,
      operationId,
      userId,
      currency,
      amount,
      captured,
      released,
      status,
      isManaged,
    } of holds) {
      const left = amount - captured - released;
      if ((status === 'open') !== left > 0n || left < 0n) {
        orphans.push([id, `${status} with ${String(left)} of ${String(amount)} left`]);
      }
      if (status === 'open') addTo(locked, `${userId} ${currency}`, left);
      const owner = stored.get(operationId);
      const isOrphan =
        isManaged && status === 'open' && owner !== undefined && isOver(owner.status);
      if (isOrphan && owner.status !== 'needs_attention') {
        orphans.push([id, `open, and its ${owner.type} ${operationId} is ${owner.status}`]);
      }
    }
    const wrong = wallets
      .filter(({ userId }) => !isSystem(userId))
      .flatMap(({ id, userId, currency, lockedBalance }): Finding[] => {
        const held = locked.get(`${userId} ${currency}`) ?? 0n;
        if (held === lockedBalance) return [];
        return [[id, `${userId}: ${String(lockedBalance)} locked, ${String(held)} in open holds`]];
      });
    return [...orphans, ...wrong];
  },
};

const reversals: Rule = {
  name: 'no transfer is reversed beyond its amount',
  breaks: 'I5',
  check: ({ transfers }) =>
    transfers
      .filter(({ amount, reversedAmount }) => reversedAmount < 0n || reversedAmount > amount)
      .map(({ id, amount, reversedAmount }) => [
        id,
        `${String(reversedAmount)} of ${String(amount)}`,
      ]),
};

const appendOnly: Rule = {
  name: 'the log is only appended to',
  breaks: 'I14',
  check: ({ rewritten }) => rewritten.map(({ id, change }) => [id, change]),
};

const entriesHaveOperations: Rule = {
  name: 'every entry has its operation',
  breaks: 'I6',
  check: ({ entries, operations }) => {
    const stored = byId(operations);
    return entries
      .filter(({ operationId }) => !stored.has(operationId))
      .map(({ id, operationId }) => [id, `operation ${operationId} does not exist`]);
  },
};

/** Milliseconds are as fine as dates are; equal ones are in order. */
const timeGoesOn: Rule = {
  name: "time goes on along a wallet's entries",
  breaks: 'time ran backwards',
  check: ({ entries }: Evidence) =>
    [...grouped(entries, ({ walletId }) => walletId)].flatMap(([walletId, own]): Finding[] => {
      const inOrder = [...own].sort((a, b) => a.seq - b.seq);
      return inOrder.flatMap((entry, index): Finding[] => {
        const before = inOrder[index - 1];
        if (before === undefined || before.createdAt <= entry.createdAt) return [];
        const backMs = before.createdAt.getTime() - entry.createdAt.getTime();
        return [
          [
            walletId,
            `seq ${String(entry.seq)} (${entry.id}) is ${String(backMs)} ms before the one before it`,
          ],
        ];
      });
    }),
};

const endAfterBegin: Rule = {
  name: 'nothing ends before it begins',
  breaks: 'time ran backwards',
  check: ({ operations }) =>
    operations.flatMap(({ id, type, createdAt, completedAt }): Finding[] => {
      if (completedAt === undefined || completedAt >= createdAt) return [];
      return [
        [
          id,
          `${type} completed ${String(createdAt.getTime() - completedAt.getTime())} ms before it was created`,
        ],
      ];
    }),
};

export const LEDGER_RULES: readonly Rule[] = [
  legsSumToZero,
  conserved,
  walletChain,
  walletFold,
  notOverspent,
  holdsAddUp,
  reversals,
  appendOnly,
  entriesHaveOperations,
  timeGoesOn,
  endAfterBegin,
];
