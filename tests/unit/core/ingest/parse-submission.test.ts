import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import type { Result } from '../../../../core/kernel/result.ts';
import {
  parseAlias,
  parseBulkItem,
  parseSubmission,
} from '../../../../core/ingest/parse-submission.ts';
import {
  type AtomicType,
  OPERATIONS,
  OPERATION_TYPES,
} from '../../../../core/operation-types/registry.ts';
import type { Submission } from '../../../../core/ingest/submission.ts';
import type { OperationDefinition } from '../../../../core/operations/define.ts';

const context = { registry: OPERATIONS, currencies: ['GOLD'] };
const parse = (raw: unknown): Result<Submission> => parseSubmission(raw, 'key', context);
const input = { userId: 'ann', currency: 'EUR', amount: 5 };

/** Code and pointers of a refusal. */
function refusal(result: Result<Submission>): readonly [string, ...string[]] {
  if (result.ok) throw new Error('was not refused');
  const { code, errors = [] } = result.failure;
  return [code, ...errors.map(({ pointer }) => pointer)];
}

function accepted(result: Result<Submission>): Submission {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

describe('a submission', () => {
  it('is normalised: amounts to digits, times to UTC, defaults to nothing', () => {
    const submission = accepted(
      parse({
        type: 'wallet.credit',
        input: { ...input, effectiveAt: '2026-01-01T01:00:00+01:00' },
        preconditions: { ifAvailableAtLeast: 0, expiresAt: '2030-01-01T00:00:00Z' },
        dryRun: false,
        metadata: {},
      }),
    );
    expect(submission).toEqual({
      definition: OPERATIONS['wallet.credit'],
      input: {
        userId: 'ann',
        currency: 'EUR',
        amount: '5',
        effectiveAt: '2026-01-01T00:00:00.000Z',
      },
      idempotencyKey: 'key',
      preconditions: { ifAvailableAtLeast: '0' },
      deadline: new Date('2030-01-01T00:00:00Z'),
    });
  });

  it('carries what the client states', () => {
    const submission = accepted(
      parse({
        type: 'wallet.credit',
        input,
        orderingKey: 'shop/7',
        preconditions: { ifWalletSeq: 3 },
        dryRun: true,
        metadata: { order: '42' },
      }),
    );
    expect(submission).toMatchObject({
      orderingKey: 'shop/7',
      preconditions: { ifWalletSeq: 3 },
      dryRun: true,
      metadata: { order: '42' },
    });
    expect(submission.deadline).toBeUndefined();
  });

  it('that could only begin after its end is refused, and does not wait a year for that', () => {
    const later = '2031-01-01T00:00:00Z';
    const soon = '2030-01-01T00:00:00Z';
    const hold = { ...input, expiresAt: soon };
    expect(
      refusal(
        parse({
          ...{ type: 'wallet.credit', input, runAt: later },
          preconditions: { expiresAt: soon },
        }),
      ),
    ).toEqual(['invalid_request', '/preconditions/expiresAt']);
    expect(
      refusal(
        parse({
          ...{ type: 'wallet.credit', input, runAt: soon },
          preconditions: { expiresAt: '2030-01-01T01:00:00+01:00' },
        }),
      ),
    ).toEqual(['invalid_request', '/preconditions/expiresAt']);
    expect(refusal(parse({ type: 'hold.place', input: hold, runAt: later }))).toEqual([
      'invalid_request',
      '/input/expiresAt',
    ]);
    const inTime = parse({
      ...{ type: 'hold.place', input: { ...hold, expiresAt: later }, runAt: soon },
      preconditions: { expiresAt: later },
    });
    expect(accepted(inTime).runAt).toEqual(new Date(soon));
  });

  it('may use a currency of the tenant, and no other unknown one', () => {
    const gold = { ...input, currency: 'GOLD' };
    expect(parse({ type: 'wallet.credit', input: gold }).ok).toBe(true);
    const refused = parse({ type: 'wallet.credit', input: { ...input, currency: 'IRON' } });
    expect(refusal(refused)).toEqual(['invalid_request', '/input/currency']);
  });

  it.each([
    ['a list', [], ''],
    ['null', null, ''],
    ['a text', 'transfer', ''],
    ['nothing', undefined, ''],
    ['no type', { input }, '/type'],
    ['no input', { type: 'wallet.credit' }, '/input'],
    ['an input that is a list', { type: 'wallet.credit', input: [] }, '/input'],
    ['an unknown field', { type: 'wallet.credit', input, extra: 1 }, '/extra'],
    ['an empty ordering key', { type: 'wallet.credit', input, orderingKey: '' }, '/orderingKey'],
    [
      'an ordering key with spaces',
      { type: 'wallet.credit', input, orderingKey: 'a b' },
      '/orderingKey',
    ],
    ['a dry run that is text', { type: 'wallet.credit', input, dryRun: 'yes' }, '/dryRun'],
    [
      'an unknown precondition',
      { type: 'wallet.credit', input, preconditions: { ifSunny: true } },
      '/preconditions/ifSunny',
    ],
    [
      'a seq that is not a number',
      { type: 'wallet.credit', input, preconditions: { ifWalletSeq: '3' } },
      '/preconditions/ifWalletSeq',
    ],
    [
      'metadata with too long a value',
      {
        type: 'wallet.credit',
        input,
        metadata: { a: 'x'.repeat(LIMITS.metadataValueCharsMax + 1) },
      },
      '/metadata/a',
    ],
    [
      'metadata with too many entries',
      {
        type: 'wallet.credit',
        input,
        metadata: Object.fromEntries(
          Array.from({ length: LIMITS.metadataEntriesMax + 1 }, (_, index) => [`k${index}`, '']),
        ),
      },
      '/metadata',
    ],
  ])('with %s is refused at its place', (_name, raw, pointer) => {
    expect(refusal(parse(raw))).toEqual(['invalid_request', pointer]);
  });

  it('of an unknown type is told the types', () => {
    const refused = parse({ type: 'toString', input });
    expect(refusal(refused)).toEqual(['unknown_operation_type', '/type']);
    expect(refused).toMatchObject({
      failure: { detail: expect.stringContaining(OPERATION_TYPES.join(', ')) },
    });
  });

  it('points to every fault inside and outside of the input at once', () => {
    const refused = parse({
      type: 'user.create',
      input: { userId: '!', wallets: [{ currency: 'EUR' }, { currency: 'x', a: 1 }] },
      orderingKey: 7,
      also: true,
    });
    expect(refusal(refused)).toEqual([
      'invalid_request',
      '/also',
      '/orderingKey',
      '/input/userId',
      '/input/wallets/1/currency',
      '/input/wallets/1/a',
    ]);
  });

  it('refuses conditions on a wallet for a type that has no main wallet', () => {
    for (const type of OPERATION_TYPES) {
      const raw = { type, input: SAMPLES[type], preconditions: { ifWalletSeq: 1 } };
      const hasWallet = OPERATIONS[type].bind(
        accepted(parse({ ...raw, preconditions: {} })).input,
      ).mainWallet;
      expect({ type, ok: parse(raw).ok }).toEqual({ type, ok: hasWallet !== undefined });
    }
  });

  it('never throws and never accepts what is not an object with a known type', () => {
    fc.assert(
      fc.property(fc.anything(), (raw) => {
        expect(parse(raw).ok).toBe(false);
        expect(parseBulkItem(raw, context).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

const transferId = `trf_${'0'.repeat(32)}`;
const holdId = `hld_${'0'.repeat(32)}`;

/** A valid input of every atomic type: a new one needs a line. */
const ATOMIC_SAMPLES = {
  'user.create': { userId: 'ann' },
  'user.update': { userId: 'ann', displayName: 'Ann' },
  'wallet.open': { userId: 'ann', currency: 'EUR' },
  'wallet.update': { userId: 'ann', currency: 'EUR', status: 'frozen' },
  'wallet.credit': input,
  'wallet.debit': input,
  transfer: { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 },
  'transfer.reverse': { transferId },
  'hold.place': input,
  'hold.capture': { holdId },
  'hold.release': { holdId },
  'bonus.award': input,
  'bonus.convert': { userId: 'ann', currency: 'EUR' },
  batch: { operations: [{ type: 'wallet.credit', input }] },
} as const satisfies Record<AtomicType, object>;

/** Stepwise types bring theirs. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    Object.values<OperationDefinition>(OPERATIONS).map(({ type, example }) => [
      type,
      example?.('ann'),
    ]),
  ),
  ...ATOMIC_SAMPLES,
};

describe('an item of a bulk', () => {
  it('has its idempotency key inside', () => {
    const item = { type: 'wallet.credit', input, idempotencyKey: 'item 1' };
    expect(accepted(parseBulkItem(item, context)).idempotencyKey).toBe('item 1');
  });

  it.each([
    [undefined, 'idempotency_key_required'],
    ['', 'idempotency_key_required'],
    [7, 'idempotency_key_invalid'],
    ['é', 'idempotency_key_invalid'],
    ['k'.repeat(256), 'idempotency_key_invalid'],
  ])('with key %j is refused: %s', (idempotencyKey, code) => {
    const item = { type: 'wallet.credit', input, idempotencyKey };
    expect(refusal(parseBulkItem(item, context))).toEqual([code, '/idempotencyKey']);
  });
});

describe('an alias', () => {
  const alias = (type: keyof typeof OPERATIONS, raw: unknown, fixed = {}) =>
    parseAlias({ definition: OPERATIONS[type], raw, fixed, idempotencyKey: 'key' }, context);

  it('takes the bare input with the envelope beside it', () => {
    const raw = { ...input, metadata: { a: 'b' }, dryRun: true };
    expect(accepted(alias('wallet.credit', raw))).toEqual(
      accepted(parse({ type: 'wallet.credit', input, metadata: { a: 'b' }, dryRun: true })),
    );
  });

  it('takes an id from the path, from there only', () => {
    expect(accepted(alias('hold.release', {}, { holdId })).input).toEqual({ holdId });
    expect(refusal(alias('hold.release', { holdId }, { holdId }))).toEqual([
      'invalid_request',
      '/holdId',
    ]);
  });

  it('points into the bare input', () => {
    const refused = alias('wallet.credit', { ...input, amount: 0, type: 'x', dryRun: 3 });
    expect(refusal(refused)).toEqual(['invalid_request', '/dryRun', '/amount', '/type']);
  });

  it('works for every type: no input has a field that the envelope has as well', () => {
    for (const type of OPERATION_TYPES) {
      const { input: parsed } = accepted(alias(type, SAMPLES[type]));
      expect(parsed).toEqual(accepted(parse({ type, input: SAMPLES[type] })).input);
    }
  });
});
