import { describe, expect, it } from 'vitest';
import { requestDifferences, requestHashOf } from '../../../../core/ingest/request-identity.ts';
import { OPERATIONS } from '../../../../core/operation-types/registry.ts';
import type { Submission } from '../../../../core/ingest/submission.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { TENANT, operationOf } from '../../../support/memory-ledger.ts';

const AT = new Date('2031-01-01T00:00:00.000Z');
const LATER = new Date('2032-01-01T00:00:00.000Z');
const INPUT = { userId: 'ann', currency: 'EUR', amount: '5' };
const PLAIN: Submission = {
  definition: OPERATIONS['wallet.credit'],
  input: INPUT,
  idempotencyKey: 'k',
};

/** What a client may state besides the input: the request, and as it is stored. */
const STATED: readonly (readonly [string, Partial<Submission>, Partial<OperationDoc>])[] = [
  ['/orderingKey', { orderingKey: 'x' }, { orderingKey: `${TENANT}|k:x` }],
  ['/preconditions', { preconditions: { ifWalletSeq: 3 } }, { preconditions: { ifWalletSeq: 3 } }],
  ['/preconditions', { deadline: AT }, { deadline: AT }],
  ['/dryRun', { dryRun: true }, { dryRun: true }],
  ['/runAt', { runAt: LATER }, { requestedRunAt: LATER }],
  ['/metadata', { metadata: { order: '1' } }, { metadata: { order: '1' } }],
];

const stored = (extras: Partial<OperationDoc> = {}): OperationDoc =>
  operationOf('wallet.credit', INPUT, extras);
const pointersOf = (first: OperationDoc, sent: Submission): readonly string[] =>
  requestDifferences(first, sent).map(({ pointer }) => pointer);

describe('a repeated request', () => {
  it.each(STATED)('is the same with the same %s, and knows no difference', (_at, sent, kept) => {
    expect(requestHashOf({ ...PLAIN, ...sent })).toBe(
      requestHashOf({ ...PLAIN, ...structuredClone(sent) }),
    );
    expect(pointersOf(stored(kept), { ...PLAIN, ...sent })).toEqual([]);
  });

  it.each(STATED)('that states %s for the first time is another one', (at, sent) => {
    expect(requestHashOf({ ...PLAIN, ...sent })).not.toBe(requestHashOf(PLAIN));
    expect(pointersOf(stored(), { ...PLAIN, ...sent })).toEqual([at]);
  });

  it.each(STATED)('that leaves %s out is another one', (at, _sent, kept) => {
    expect(pointersOf(stored(kept), PLAIN)).toEqual([at]);
  });

  it('is the same under any key and with its fields in any order', () => {
    const { userId, currency, amount } = INPUT;
    const other = { ...PLAIN, idempotencyKey: 'other', input: { amount, currency, userId } };
    expect(requestHashOf(other)).toBe(requestHashOf(PLAIN));
  });

  it('of another type or with another amount is another one', () => {
    const debit = { ...PLAIN, definition: OPERATIONS['wallet.debit'] };
    const more = { ...PLAIN, input: { ...INPUT, amount: '6' } };
    const hashes = [PLAIN, debit, more].map(requestHashOf);
    expect(new Set(hashes).size).toBe(3);
    expect(pointersOf(stored(), debit)).toEqual(['/type']);
    expect(pointersOf(stored(), more)).toEqual(['/input/amount']);
  });

  it('with a condition and a deadline says which of the two differs', () => {
    const both = { preconditions: { ifWalletSeq: 3 }, deadline: AT };
    expect(pointersOf(stored(both), { ...PLAIN, ...both, deadline: LATER })).toEqual([
      '/preconditions/expiresAt',
    ]);
  });
});

describe('the line of a request that follows another operation', () => {
  const RELEASE = OPERATIONS['hold.release'];
  const input = { holdId: `hld_${'0'.repeat(32)}` };
  const followed = operationOf('hold.release', input, {
    orderingKey: `${TENANT}|k:x`,
  });

  it('was not part of it where the client has not stated it', () => {
    const sent: Submission = { definition: RELEASE, input: followed.input, idempotencyKey: 'k' };
    expect(pointersOf(followed, sent)).toEqual([]);
    expect(pointersOf(followed, { ...sent, orderingKey: 'x' })).toEqual([]);
    expect(pointersOf(followed, { ...sent, orderingKey: 'y' })).toEqual(['/orderingKey']);
  });
});
