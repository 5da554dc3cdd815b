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
  /** Documents looked up by id in one query. */
  idsPage: 1_000,
});
