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
  {
    name: 'what a full stripe of a system wallet cannot take goes to nobody',
    file: 'core/ledger/book.ts',
    find: 'while (found !== undefined && isFull(found)) {',
    replace: 'while (found !== undefined && isFull(found) && stripe < 0) {',
    foundBy: [
      'tests/unit/core/operations/draft-alone.test.ts',
      'tests/integration/settlement/system-wallets.test.ts',
    ],
  },
  {
    name: 'the stripe that took over from a full one is not read',
    file: 'core/ledger/settlement-store.ts',
    find: 'foundWallets.push(...further);',
    replace: 'foundWallets.push(...further.slice(0, 0));',
    foundBy: ['tests/integration/settlement/system-wallets.test.ts'],
  },
  {
    name: 'a draft that the book refuses aborts the batch of its neighbours',
    file: 'core/operations/settlement.ts',
    find: 'const outcome = decideOne({ operation, bound, draft, context, book });',
    replace: [
      'const late: typeof book = { ...book, apply: () => undefined };',
      'const outcome = decideOne({ operation, bound, draft, context, book: late });',
      'if (outcome.status === "succeeded") book.apply(draft);',
    ].join('\n'),
    foundBy: ['tests/unit/core/operations/draft-alone.test.ts'],
  },
  {
    name: 'one wallet that was stored wrong stops the batch of its neighbours',
    file: 'core/ledger/book.ts',
    find: 'const entries: EntryDoc[] = [];\n  return Object.freeze({',
    replace: [
      'for (const wallet of state.wallets.values()) assertWallet(wallet);',
      'const entries: EntryDoc[] = [];',
      'return Object.freeze({',
    ].join('\n'),
    foundBy: ['tests/unit/core/operations/draft-alone.test.ts'],
  },
  {
    name: 'the stripes of a system wallet are read one after another',
    file: 'core/ledger/ledger-reads-store.ts',
    find: '{ ...OPTIONS, session, readConcern: SNAPSHOT }',
    replace: '{ ...OPTIONS, session }',
    foundBy: ['tests/integration/settlement/system-wallets.test.ts'],
  },
];
