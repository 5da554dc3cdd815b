import type { Evidence } from './evidence.ts';

export interface Violation {
  readonly rule: string;
  /** The promise or invariant that it breaks. */
  readonly breaks: string;
  /** What it is about: an id, a key, a wallet. */
  readonly subject: string;
  readonly detail: string;
}

/** One rule over the whole evidence. Pure. */
export interface Rule {
  readonly name: string;
  readonly breaks: string;
  readonly check: (evidence: Evidence) => readonly Finding[];
}

export type Finding = readonly [subject: string, detail: string];

export function runRules(rules: readonly Rule[], evidence: Evidence): readonly Violation[] {
  return rules.flatMap(({ name, breaks, check }) =>
    check(evidence).map(([subject, detail]) => ({ rule: name, breaks, subject, detail })),
  );
}

export function grouped<T>(
  list: readonly T[],
  keyOf: (one: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

export function byId<T extends { readonly id: string }>(
  list: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(list.map((one) => [one.id, one]));
}

/** Adds to sums by key. */
export function addTo(sums: Map<string, bigint>, key: string, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount);
}

/** `a 3, b -1`: sums of zero are nothing. */
export function sumsText(sums: ReadonlyMap<string, bigint>): string {
  const parts = [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([key, sum]) => `${key} ${String(sum)}`);
  return parts.sort().join(', ');
}
