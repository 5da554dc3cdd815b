/** As many significant digits as any double keeps, in a text without an exponent. */
const ALWAYS_KEPT_CHARS = 15;

/**
 * Whether a number of JSON is one that we would write as it was written: neither rounded nor too
 * large nor too small for a double. `1.50` and `15e-1` are the same number. Linear in its length.
 */
export function isKept(literal: string): boolean {
  if (literal.length <= ALWAYS_KEPT_CHARS && !/[eE]/.test(literal)) return true;
  const value = Number(literal);
  const kept = String(value);
  return kept === literal || (Number.isFinite(value) && decimalOf(literal) === decimalOf(kept));
}

const ZERO = 0x30;

/** One text for every spelling of a number: its digits as an integer, and the power of ten. */
function decimalOf(literal: string): string {
  const [mantissa = '', power = '0'] = literal.toLowerCase().split('e');
  const isNegative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = (isNegative ? mantissa.slice(1) : mantissa).split('.');
  const digits = whole + fraction;
  let start = 0;
  while (digits.charCodeAt(start) === ZERO) start += 1;
  if (start === digits.length) return '0';
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end -= 1;
  const exponent = Number(power) - fraction.length + (digits.length - end);
  return `${isNegative ? '-' : ''}${digits.slice(start, end)}e${exponent}`;
}
