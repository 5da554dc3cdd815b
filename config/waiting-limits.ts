/** Looks at why work waits. Spread into `LIMITS`-like tables of its own: nothing else needs them. */
export const WAITING_LIMITS = {
  /** An operation younger than this is answered from its document alone: it is about to settle. */
  lookAfterMs: 2_000,
  /** Beside the operation; what does not answer within it is left out. */
  lookMs: 500,
  /** Of each status, the first so many are told apart by what they wait for. */
  countedMax: 10_000,
  countsKeptMs: 10_000,
} as const;
