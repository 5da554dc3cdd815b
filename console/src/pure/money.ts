import { exponentOf } from '../../../core/kernel/currencies.ts';

const MINOR = /^-?\d+$/;

/**
 * `1234567` EUR as `12,345.67`: digits are moved, never divided. Of a currency without a known
 * exponent, and of what is no amount, the text as it came.
 */
export function amountText(minor: string, currency: string): string {
  if (!MINOR.test(minor)) return minor;
  const exponent = exponentOf(currency) ?? 0;
  const sign = minor.startsWith('-') ? '−' : '';
  const digits = minor.replace('-', '').padStart(exponent + 1, '0');
  const split = digits.length - exponent;
  const whole = digits.slice(0, split).replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(split)}`;
}

/** With its currency; minor units are said to be such where nobody knows the exponent. */
export function moneyText(minor: string, currency: string): string {
  const unit = exponentOf(currency) === undefined ? `${currency} (minor units)` : currency;
  return `${amountText(minor, currency)} ${unit}`;
}
