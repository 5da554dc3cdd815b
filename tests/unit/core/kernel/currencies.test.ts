import { describe, expect, it } from 'vitest';
import { CURRENCY_PATTERN, isKnownCurrency } from '../../../../core/kernel/currencies.ts';

describe('currencies', () => {
  it.each(['EUR', 'USD', 'JPY', 'BHD', 'CLF', 'ZWG', 'XAF'])('know ISO 4217: %s', (code) => {
    expect(isKnownCurrency(code, [])).toBe(true);
  });

  it.each(['', 'eur', 'EU', 'XTS', 'XBA', 'BTC', 'constructor', '__proto__'])(
    'do not know %j unless the tenant has defined it',
    (code) => {
      expect(isKnownCurrency(code, [])).toBe(false);
      expect(isKnownCurrency(code, [code])).toBe(true);
    },
  );

  it.each(['EUR', 'BTC', 'POINTS', 'A1B2C3D4E5'])('may be named %s', (code) => {
    expect(CURRENCY_PATTERN.test(code)).toBe(true);
  });

  it.each(['', 'E', 'EU', 'eur', '1EU', 'EUR ', 'EUR\n', 'A'.repeat(11), 'E:R', 'ÄÖÜ'])(
    'may not be named %j',
    (code) => {
      expect(CURRENCY_PATTERN.test(code)).toBe(false);
    },
  );
});
