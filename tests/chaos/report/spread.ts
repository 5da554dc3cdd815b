/**
 * How values are spread, small enough to be kept and to be added up over many runs: values by two
 * significant digits, with how many there were of each, from the smallest to the greatest.
 */
export type Spread = readonly (readonly [value: number, count: number])[];

export function spreadOf(values: readonly number[]): Spread {
  return sumSpreads([values.map((value) => [rounded(value), 1] as const)]);
}

export function sumSpreads(spreads: readonly Spread[]): Spread {
  const counts = new Map<number, number>();
  for (const [value, count] of spreads.flat()) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b);
}

export function sizeOf(spread: Spread): number {
  return spread.reduce((sum, [, count]) => sum + count, 0);
}

/** The value that so much of all is at or below; of nothing: 0. */
export function quantileOf(spread: Spread, share: number): number {
  const rank = Math.max(1, Math.ceil(sizeOf(spread) * share));
  let seen = 0;
  for (const [value, count] of spread) {
    seen += count;
    if (seen >= rank) return value;
  }
  return 0;
}

const DIGITS = 2;

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
