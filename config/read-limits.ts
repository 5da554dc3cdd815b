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

  /** Of what waits to be settled for a wallet: so many operations are added up. */
  queuedMax: 1_000,
  queuedMaxTimeMs: 2 * SECOND,

  /** Of wallets that are read from caches: how old what is answered may be, all in all. */
  walletCacheMs: 10 * SECOND,
  /** Of these, in the memory of a process. */
  walletMemoryMs: 500,
  walletMemoryBytesMax: 33_554_432,
  /** What a cached wallet is taken for, text and object. */
  walletMemoryBytesEach: 1_024,
  /** An answer of the cache's Redis that takes longer is not waited for; then it is left alone. */
  cacheReadMs: 50,
  cachePauseMs: 500,
  /** Between the clocks of two processes, as the database tells them. */
  cacheSkewMs: 2 * SECOND,
  /** Wallets that are written at once, how long that may take, and how many may wait for it. */
  cacheWriteMax: 200,
  cacheWriteMs: SECOND,
  cacheWritesWaitingMax: 20_000,
} as const;

if (READ_LIMITS.walletMemoryMs >= READ_LIMITS.walletCacheMs) {
  throw new Error('config/read-limits.ts: memory keeps no wallet for longer than Redis does');
}
