/** What has become of the lines so far. */
export interface Tally {
  lines: number;
  /** Accepted by this run. */
  fresh: number;
  /** Accepted by an earlier run, under the same key. */
  known: number;
  /** Of those, the ones whose key we made of their place, so that it may be another line's. */
  taken: number;
  succeeded: number;
  bytesDone: number;
  /** Never accepted, by error code. */
  readonly refused: Map<string, number>;
  /** Accepted and settled otherwise than hoped for, by error code. */
  readonly rejected: Map<string, number>;
}

export function createTally(): Tally {
  return {
    lines: 0,
    fresh: 0,
    known: 0,
    taken: 0,
    succeeded: 0,
    bytesDone: 0,
    refused: new Map(),
    rejected: new Map(),
  };
}

export function countUp(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}

export function totalOf(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
