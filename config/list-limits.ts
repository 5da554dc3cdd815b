const SECOND = 1_000;

/** Of lists; a part of `LIMITS`. */
export const LIST_LIMITS = {
  listLimitMax: 200,
  listLimitDefault: 50,
  listMaxTimeMs: 5 * SECOND,
  /**
   * From the stamp on its rows until a transaction is over: the server gives it up after 15 s, looks
   * for such ones every 7.5 s, and clocks are half a second apart. Lists with the oldest first end so
   * long ago.
   */
  settledWithinMs: 30 * SECOND,
  /** No commit is begun later, whatever the lifetime of transactions on the server. */
  transactionMsMax: 25 * SECOND,
} as const;
