import type { AtomicType } from '../../core/operation-types/registry.ts';

/** What an example may build on: made and settled before it runs. */
export interface Ground {
  /** A user with 1,000 EUR and 100 EUR of bonus, of this example's own. */
  readonly payer: string;
  /** A user with an empty EUR wallet. */
  readonly payee: string;
  /** A user that does not exist yet. */
  readonly nobody: string;
  /** A settled transfer of 100 EUR from payer to payee. */
  readonly transferId: string;
  /** An open hold of 100 EUR of the payer. */
  readonly holdId: string;
}

interface Example {
  readonly input: (ground: Ground) => unknown;
  /** How many entries it leaves when it succeeds. */
  readonly entries: number;
}

const EUR = { currency: 'EUR' } as const;

/**
 * An example that succeeds, for every atomic type: a new type does not compile until it has one.
 * Stepwise types bring their own.
 */
export const EXAMPLES = {
  'user.create': {
    input: ({ nobody }) => ({ userId: nobody, wallets: [EUR] }),
    entries: 0,
  },
  'user.update': { input: ({ payee }) => ({ userId: payee, status: 'blocked' }), entries: 0 },
  'wallet.open': { input: ({ payee }) => ({ userId: payee, currency: 'USD' }), entries: 0 },
  'wallet.update': {
    input: ({ payee }) => ({ userId: payee, ...EUR, overdraftLimit: 50 }),
    entries: 0,
  },
  'wallet.credit': {
    input: ({ payee }) => ({ userId: payee, ...EUR, amount: 10, fee: 1 }),
    entries: 4,
  },
  'wallet.debit': { input: ({ payer }) => ({ userId: payer, ...EUR, amount: 10 }), entries: 2 },
  transfer: {
    input: ({ payer, payee }) => ({
      fromUserId: payer,
      toUserId: payee,
      ...EUR,
      amount: 10,
      fee: 1,
    }),
    entries: 4,
  },
  'transfer.reverse': { input: ({ transferId }) => ({ transferId, amount: 40 }), entries: 2 },
  'hold.place': { input: ({ payer }) => ({ userId: payer, ...EUR, amount: 10 }), entries: 2 },
  'hold.capture': {
    input: ({ holdId, payee }) => ({ holdId, amount: 40, toUserId: payee, ...EUR }),
    entries: 4,
  },
  'hold.release': { input: ({ holdId }) => ({ holdId }), entries: 2 },
  'bonus.award': { input: ({ payee }) => ({ userId: payee, ...EUR, amount: 10 }), entries: 2 },
  'bonus.convert': { input: ({ payer }) => ({ userId: payer, ...EUR, amount: 10 }), entries: 4 },
  batch: {
    input: ({ payer, payee }) => ({
      operations: [
        { type: 'wallet.credit', input: { userId: payer, ...EUR, amount: 10 } },
        { type: 'transfer', input: { fromUserId: payer, toUserId: payee, ...EUR, amount: 10 } },
      ],
    }),
    entries: 4,
  },
} as const satisfies Record<AtomicType, Example>;

export const ATOMIC_TYPES = Object.keys(EXAMPLES) as readonly AtomicType[];
