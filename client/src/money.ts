import { invalidArgument } from './errors.ts';
import { CURRENCIES } from './generated/currencies.ts';

/** The largest amount that the API takes, in minor units. */
export const AMOUNT_MAX = 1_000_000_000_000_000n;

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  CURRENCIES.flatMap(([exponent, codes]) =>
    codes.split(' ').map((code) => [code, exponent] as const),
  ),
);

export interface MoneyOptions {
  /** Digits behind the point, of a currency that is not in ISO 4217. */
  readonly exponent?: number;
}

/** Digits behind the point: 2 of EUR, 0 of JPY, 3 of KWD. */
export function exponentOf(currency: string, { exponent }: MoneyOptions = {}): number {
  const found = exponent ?? EXPONENTS.get(currency);
  if (found === undefined) {
    throw invalidArgument(`${currency} is not in ISO 4217: say its exponent`);
  }
  if (Number.isInteger(found) && found >= 0 && found <= 15) return found;
  throw invalidArgument('exponent must be a whole number from 0 to 15');
}

const MAJOR = /^(-?)(0|[1-9]\d{0,15})(?:\.(\d{1,15}))?$/;

/**
 * Minor units of an amount as people write it: `money('12.50', 'EUR')` is `1250n`. Takes no numbers:
 * 0.1 + 0.2 is not 0.3 in them.
 *
 * @throws SluiceError `invalid_argument` for what is no amount, has more digits than the currency,
 *   or is beyond 10^15 minor units.
 */
export function money(text: string, currency: string, options?: MoneyOptions): bigint {
  const exponent = exponentOf(currency, options);
  if (typeof text !== 'string') throw invalidArgument('An amount is a text such as "12.50"');
  const match = MAJOR.exec(text);
  if (match === null) {
    throw invalidArgument('An amount is digits, with a point before the minor ones');
  }
  const [, sign = '', whole = '', fraction = ''] = match;
  if (fraction.length > exponent) {
    throw invalidArgument(`${currency} has ${exponent} digits behind the point`);
  }
  const minor = BigInt(whole + fraction.padEnd(exponent, '0'));
  if (minor > AMOUNT_MAX) throw invalidArgument(`An amount is at most ${AMOUNT_MAX} minor units`);
  return sign === '' ? minor : -minor;
}

const MINOR = /^-?(0|[1-9]\d*)$/;

/** The way back: `toMajor('1250', 'EUR')` is `'12.50'`. Takes what the API answers, of any size. */
export function toMajor(minor: bigint | string, currency: string, options?: MoneyOptions): string {
  const exponent = exponentOf(currency, options);
  const text = typeof minor === 'bigint' ? minor.toString() : minor;
  if (typeof text !== 'string' || !MINOR.test(text)) {
    throw invalidArgument('Minor units are a bigint, or its digits');
  }
  if (exponent === 0) return text;
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.slice(sign.length).padStart(exponent + 1, '0');
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

export interface FormatOptions extends MoneyOptions {
  /** BCP 47, the runtime's own by default. */
  readonly locale?: string | readonly string[];
}

/**
 * For people, as their language writes it: `€12.50`, `12,50 €`, `¥1,250`. Digits go in as text, so
 * nothing is rounded.
 */
export function formatMoney(
  minor: bigint | string,
  currency: string,
  { locale, ...options }: FormatOptions = {},
): string {
  const digits = exponentOf(currency, options);
  const text = toMajor(minor, currency, options) as Intl.StringNumericLiteral;
  const style = {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  };
  const locales = locale as string | string[] | undefined;
  // Intl knows codes of three letters; a tenant's own stands behind its number.
  if (/^[A-Z]{3}$/.test(currency)) {
    return new Intl.NumberFormat(locales, { ...style, style: 'currency', currency }).format(text);
  }
  return `${new Intl.NumberFormat(locales, style).format(text)}\u00a0${currency}`;
}
