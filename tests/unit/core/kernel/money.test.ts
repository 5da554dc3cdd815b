import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import {
  amountProblem,
  assertBalanceRange,
  formatMinor,
  parseMinor,
} from '../../../../core/kernel/money.ts';
import { check } from '../../../support/property.ts';

const MAX = LIMITS.amountMinorMax;

describe('an amount in a request', () => {
  it.each([...['1', '100', MAX.toString(), 1, 42, Number.MAX_SAFE_INTEGER > 1e15 ? 1e15 : 1]])(
    'is accepted: %j',
    (value) => {
      expect(amountProblem(value)).toBeUndefined();
    },
  );

  it.each([
    ...['0', '', '-1', '+1', '01', '1.0', '0.1', '1e3', '1,000', ' 1', '1 ', '1\n', '0x10', 'NaN'],
    ...[
      'Infinity',
      '１２',
      '٣',
      'null',
      (MAX + 1n).toString(),
      '9'.repeat(1_000_000),
      '--1',
      '1_0',
    ],
  ])('is refused as a string: %j', (value) => {
    expect(amountProblem(value)).toMatch(/^must be/);
  });

  it.each([...[0, -0, -1, 0.1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 1e21, 1e15 + 1, 2 ** 63]])(
    'is refused as a number: %d',
    (value) => {
      expect(amountProblem(value)).toMatch(/^(must be|is too large)/);
    },
  );

  it('is accepted exactly from 1 to the limit', () => {
    const property = fc.property(fc.bigInt({ min: -10n, max: 4n * MAX }), (value) => {
      const isGood = value > 0n && value <= MAX;
      expect(amountProblem(value.toString()) === undefined).toBe(isGood);
    });
    check('amounts', property);
  });
});

describe('conversion', () => {
  it('loses nothing over the whole range of balances', () => {
    const max = LIMITS.balanceMinorMax;
    const property = fc.property(fc.bigInt({ min: -max, max }), (value) => {
      expect(parseMinor(formatMinor(value))).toBe(value);
      expect(() => {
        assertBalanceRange(value, 'it');
      }).not.toThrow();
    });
    check('round trip', property);
  });

  it.each(['', '-0', '00', '1.5', 'x', '1e3', ' 1', '-'])('refuses to parse %j', (text) => {
    expect(() => parseMinor(text)).toThrow('decimal digits');
  });

  it('stops at balances that could not be stored, both ways', () => {
    for (const value of [LIMITS.balanceMinorMax + 1n, -LIMITS.balanceMinorMax - 1n]) {
      expect(() => {
        assertBalanceRange(value, 'it');
      }).toThrow('range');
    }
  });
});
