/** Ceilings of what looks after the ledger: rebuilding, verifying, watching and proving it. */
export const LEDGER_LIMITS = Object.freeze({
  /** Users whose wallets are rebuilt at a time, under one snapshot. */
  rebuildUsersPage: 200,
  /** Entries that are read at a time. */
  rebuildEntriesPage: 5_000,
  /** A wallet with more of them has its reversals looked up first, so that transfers need not be kept. */
  rebuildWalletEntriesMax: 50_000,
  /** Settings inside batches, of one tenant: they are kept in memory, about 200 bytes each. */
  rebuildBatchSettingsMax: 1_000_000,
  /** Times that a page is computed anew because settlement moved one of its documents meanwhile. */
  rebuildTriesMax: 20,
  /** The lease of a rebuild, renewed with every page. */
  rebuildLeaseMs: 120_000,
  /** Differences that a report names; all are counted. */
  reportedMax: 100_000,
  /** The watch over the ledger rests so many times as long as it has worked: a tenth is its share. */
  watchRestFactor: 9,
  /** And begins a pass at most so often. */
  watchPassMsMin: 60_000,
  watchTurnMs: 250,
  /** Longer than one page takes. */
  watchLeaseMs: 120_000,
  /** Drifts that the next owner of the watch knows, and does not tell again. */
  watchKnownMax: 1_000,
  /** Entries that are sealed at a time, of one tenant. */
  sealPage: 5_000,
  sealTurnMs: 5_000,
  sealLeaseMs: 120_000,
  /** Pages of one tenant in one turn: what is left comes with the next. */
  sealPagesMax: 20,
  /** Documents looked up by id in one query. */
  idsPage: 1_000,
});
