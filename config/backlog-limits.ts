/** Of what is taken in and what is looked up besides; a part of `LIMITS`. */
export const BACKLOG_LIMITS = {
  /** Submissions waiting in one process to be stored. */
  ingestQueueMax: 20_000,
  enqueueTimeoutMs: 500,
  enqueuePauseMs: 1_000,
  /** Accepted, and nobody has begun with it. */
  acceptedBacklogMax: 500_000,
  backlogSampleMs: 1_000,
  /** Tenants that are told apart by one process between two counts. */
  backlogTenantsMax: 1_000,
  /** Bytes of request bodies under way in one process of the API. */
  bodiesBytesMax: 33_554_432,
  /** Expired holds that those of a batch who want money may take back; recovery does the rest. */
  lapsedHoldsMax: 1_000,
  /** Of the jobs that come next in a queue, as many tell how far it has come. */
  sweepHeads: 20,
  /** Messages that are asked for in one row of the outbox bring their texts: so many at a time. */
  routedRequestsMax: 8,
} as const;
