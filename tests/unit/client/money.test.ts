import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exponentOf as serverExponentOf,
  CURRENCIES_BY_EXPONENT,
} from '../../../core/kernel/currencies.ts';
import { AMOUNT_MAX, exponentOf, formatMoney, money, toMajor } from '../../../client/src/index.ts';

const NO_AMOUNTS = [
  ...['', ' 1', '1 ', '1,5', '1.', '.5', '01'],
  ...['+1', '1e3', 'NaN', '0x10', '１'],
];
const refused = { code: 'invalid_argument' };

describe('money', () => {
  it.each([
    ['12.50', 'EUR', 1250n],
    ['12.5', 'EUR', 1250n],
    ['12', 'EUR', 1200n],
    ['0.01', 'EUR', 1n],
    ['0', 'EUR', 0n],
    ['-3.05', 'EUR', -305n],
    ['1250', 'JPY', 1250n],
    ['1.234', 'KWD', 1234n],
    ['0.0001', 'CLF', 1n],
    ['10000000000000.00', 'EUR', AMOUNT_MAX],
    ['1000000000000000', 'JPY', AMOUNT_MAX],
  ])('%s %s is %s minor units', (text, currency, minor) => {
    expect(money(text, currency)).toBe(minor);
  });
  it.each([
    ['12.505', 'EUR'],
    ['1.0', 'JPY'],
    ['1.2345', 'KWD'],
    ['10000000000000.01', 'EUR'],
    ['-10000000000000.01', 'EUR'],
    ['1000000000000001', 'JPY'],
    ...NO_AMOUNTS.map((text): [string, string] => [text, 'EUR']),
    ['1', 'XXQ'],
    ['1', 'eur'],
    ['9'.repeat(10_000), 'EUR'],
  ])('refuses %s %s', (text, currency) => {
    expect(() => money(text, currency)).toThrow(expect.objectContaining(refused));
  });
  it.each([12.5, 12, Number.NaN, 5n, null, undefined, {}, ['1']])(
    'refuses %s: not a text',
    (value) => {
      expect(() => money(value as never, 'EUR')).toThrow(expect.objectContaining(refused));
    },
  );
  it('knows a currency of your own by its exponent', () => {
    expect(money('1.5', 'GEM', { exponent: 1 })).toBe(15n);
    expect(toMajor(15n, 'GEM', { exponent: 1 })).toBe('1.5');
    expect(() => money('1', 'GEM', { exponent: 1.5 })).toThrow(expect.objectContaining(refused));
  });
  it('comes back as it went', () => {
    const codes = Object.values(CURRENCIES_BY_EXPONENT).flatMap((list) => list.split(' '));
    const minor = fc.bigInt({ min: -AMOUNT_MAX, max: AMOUNT_MAX });
    fc.assert(
      fc.property(minor, fc.constantFrom(...codes), (amount, currency) => {
        expect(money(toMajor(amount, currency), currency)).toBe(amount);
        expect(toMajor(amount.toString(), currency)).toBe(toMajor(amount, currency));
      }),
    );
  });
  it('has the exponents of the server', () => {
    const codes = Object.values(CURRENCIES_BY_EXPONENT).flatMap((list) => list.split(' '));
    expect(codes.length).toBeGreaterThan(150);
    expect(codes.map((code) => exponentOf(code))).toEqual(codes.map(serverExponentOf));
  });
});

describe('formatMoney', () => {
  it.each([
    ['1250', 'EUR', 'en-IE', '€12.50'],
    ['1250', 'EUR', 'de-DE', '12,50\u00a0€'],
    ['1250', 'JPY', 'en-US', '¥1,250'],
    ['1250', 'KWD', 'en-US', 'KWD\u00a01.250'],
    ['-5', 'EUR', 'en-IE', '-€0.05'],
    ['100000000000000001', 'EUR', 'en-IE', '€1,000,000,000,000,000.01'],
    ['4000000000000000001', 'USD', 'en-US', '$40,000,000,000,000,000.01'],
  ])('writes %s %s in %s as %s', (minor, currency, locale, text) => {
    expect(formatMoney(minor, currency, { locale })).toBe(text);
    expect(formatMoney(BigInt(minor), currency, { locale })).toBe(text);
  });
  it('writes a currency of your own behind its number', () => {
    expect(formatMoney(1_500n, 'GEMS', { exponent: 0, locale: 'en-US' })).toBe('1,500\u00a0GEMS');
  });
  it.each([12.5, '12.5', '', '1e3', null])('refuses %s: not minor units', (value) => {
    expect(() => formatMoney(value as never, 'EUR')).toThrow(expect.objectContaining(refused));
  });
});
