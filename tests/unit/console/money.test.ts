import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountText, moneyText } from '../../../console/src/pure/money.ts';
import { exponentOf } from '../../../core/kernel/currencies.ts';

describe('amounts for people', () => {
  it.each([
    ['0', 'EUR', '0.00'],
    ['5', 'EUR', '0.05'],
    ['-5', 'EUR', '−0.05'],
    ['1234567', 'EUR', '12,345.67'],
    ['-123456', 'EUR', '−1,234.56'],
    ['1234', 'JPY', '1,234'],
    ['1234567', 'KWD', '1,234.567'],
    ['12345', 'CLF', '1.2345'],
    ['1234', 'POINTS', '1,234'],
    ['no amount', 'EUR', 'no amount'],
  ])('%s %s is %s', (minor, currency, text) => {
    expect(amountText(minor, currency)).toBe(text);
  });

  it('say where an amount is in minor units', () => {
    expect(moneyText('100', 'EUR')).toBe('1.00 EUR');
    expect(moneyText('100', 'POINTS')).toBe('100 POINTS (minor units)');
  });

  it('keep every digit, however many', () => {
    const minor = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    fc.assert(
      fc.property(minor, fc.constantFrom('EUR', 'JPY', 'KWD', 'CLF'), (amount, currency) => {
        const text = amountText(amount.toString(), currency);
        const [, fraction = ''] = text.split('.');
        expect(fraction.length).toBe(exponentOf(currency));
        expect(BigInt(text.replace('−', '-').replaceAll(/[,.]/g, ''))).toBe(amount);
      }),
    );
  });
});
