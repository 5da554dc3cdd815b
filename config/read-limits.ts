const SECOND = 1_000;

/** Of single documents that clients read. */
export const READ_LIMITS = {
  /** Look-ups that share a round trip, and round trips of a kind under way at once. */
  readGroupMax: 256,
  readGroupsInFlight: 2,
  /** The same of what may be large each: operations, and all wallets of a user. */
  largeReadGroupMax: 64,
  /** Look-ups of a kind that wait in one process for a round trip. */
  readsWaitingMax: 20_000,
  /** From a look-up to its answer, whatever the others of its group do. */
  readDeadlineMs: 6 * SECOND,
  /** Nothing has a longer id, so it is not looked for. */
  readIdCharsMax: 300,
} as const;
