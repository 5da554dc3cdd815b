import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a fee of zero refuses the payment',
    file: 'core/operations/inputs.ts',
    find: 'export const fee = amountOrZero.meta({',
    replace: 'export const fee = amount.meta({',
    foundBy: ['tests/unit/core/operations/refusals.test.ts'],
  },
  {
    name: 'an operation that could only begin after its end waits for its time',
    file: 'core/operations/parse-submission.ts',
    find: 'new Date(end) <= new Date(runAt)',
    replace: 'new Date(end) <= new Date(0)',
    foundBy: ['tests/unit/core/operations/parse-submission.test.ts'],
  },
  {
    name: 'the bonus of a deposit is rounded half up',
    file: 'core/operations/deposit.ts',
    find: '(deposited * BigInt(rule.basisPoints)) / 10_000n',
    replace: '(deposited * BigInt(rule.basisPoints) + 5_000n) / 10_000n',
    foundBy: ['tests/sagas/payments.test.ts'],
  },
  {
    name: 'an overdraft can be lowered below what is locked',
    file: 'core/operations/wallet-update.ts',
    find: 'after.balance - after.lockedBalance + after.overdraftLimit < 0n',
    replace: 'after.balance + after.overdraftLimit < 0n',
    foundBy: ['tests/unit/core/operations/refusals.test.ts'],
  },
];
