import { LIMITS } from '../../config/limits.ts';
import { assert } from './assert.ts';
import { exponentOf } from './currencies.ts';

/**
 * Money is an integer number of minor units: `bigint` in code, int64 in MongoDB, a decimal string
 * in JSON. This file is the only place where one becomes another.
 */
const DIGITS = /^[1-9][0-9]*$/;
const SIGNED_DIGITS = /^(0|-?[1-9][0-9]*)$/;

/** Why a requested amount is refused, or undefined when it is one we accept. */
export function amountProblem(value: string | number): string | undefined {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return 'must be a whole number of minor units, not a fraction';
    if (!Number.isSafeInteger(value)) return 'is too large for a JSON number: send it as a string';
    if (value <= 0) return 'must be greater than zero';
  } else if (!DIGITS.test(value)) {
    return 'must be decimal digits without sign, point or leading zero, and greater than zero';
  } else if (value.length > 16) {
    return `must be at most ${LIMITS.amountMinorMax.toString()}`;
  }
  return BigInt(value) > LIMITS.amountMinorMax
    ? `must be at most ${LIMITS.amountMinorMax.toString()}`
    : undefined;
}

/** Parses an amount that validation has accepted (or that we stored). */
export function parseMinor(text: string): bigint {
  assert(SIGNED_DIGITS.test(text), 'an amount is decimal digits', { text });
  return BigInt(text);
}

/** The JSON form: decimal digits, `-` in front when negative. */
export function formatMinor(amount: bigint): string {
  return amount.toString();
}

/** For people: `12.50 EUR`. A currency without a known exponent is shown in minor units. */
export function majorText(minor: string, currency: string): string {
  const exponent = exponentOf(currency) ?? 0;
  const sign = minor.startsWith('-') ? '-' : '';
  const digits = minor.slice(sign.length).padStart(exponent + 1, '0');
  if (exponent === 0) return `${sign}${digits} ${currency}`;
  const split = digits.length - exponent;
  return `${sign}${digits.slice(0, split)}.${digits.slice(split)} ${currency}`;
}

/** Throws InvariantError when a balance could not be stored or compared safely. */
export function assertBalanceRange(amount: bigint, what: string): void {
  const max = LIMITS.balanceMinorMax;
  assert(amount <= max && amount >= -max, `${what} is within the range of balances`, {
    amount: amount.toString(),
  });
}
