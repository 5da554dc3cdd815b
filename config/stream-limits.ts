const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Of event streams and sockets; a part of `LIMITS`. */
export const STREAM_LIMITS = {
  /** Streams and sockets: per process, but for what says otherwise. */
  streamClientsMax: 5_000,
  /** Of these, for one key, one tenant, one address; a proxy's clients have one of each. */
  streamKeyMax: 2_000,
  streamTenantMax: 3_000,
  streamAddressMax: 4_000,
  /** Connections of sockets that have not shown a key: how long, how many, how many of one address. */
  strangerMs: 10 * SECOND,
  strangersMax: 1_000,
  strangersAddressMax: 500,
  /** Waiting in this process for one client to read them. */
  streamBufferBytesMax: 524_288,
  socketPayloadBytesMax: 16_384,
  socketRecoveryMs: 2 * MINUTE,
  streamPatternsMax: 20,
  streamReadEvents: 500,
  streamPageEvents: 500,
  streamBlockMs: 2 * SECOND,
  /**
   * Of a tenant, in Redis: all of the last while, never less than so many events, never more than
   * so many bytes; nothing once the tenant has been idle for long.
   */
  streamHistoryMs: 15 * MINUTE,
  streamEventsKept: 10_000,
  streamBytesMax: 67_108_864,
  streamIdleMs: 7 * 24 * 60 * MINUTE,
  /** Lately read events of a tenant, kept for clients that come back. */
  streamRecentMax: 2_000,
  streamSeenMax: 20_000,
  /** Of clients that come back: questions to Redis at once, pages and their filters that are shared. */
  streamCatchUpsMax: 8,
  streamPagesKept: 40,
  streamPageFiltersMax: 16,
  /** They are sent to for so long before others get their turn, which is as long. */
  streamCatchUpSliceMs: 5,
  /** Clients that are written to before others get their turn. */
  streamSliceClients: 250,
  streamHeartbeatMs: 15 * SECOND,
  streamDrainMs: 30 * SECOND,
  streamRetryMs: SECOND,
  streamRetryJitterMs: 2 * SECOND,
  streamPauseMs: 250,
  streamKeyCheckMs: 2 * SECOND,
  streamFarewellMs: 2 * SECOND,
  /** What a timeline looks through for an operation's events: from so long before it settled. */
  timelineSkewMs: 2 * SECOND,
  timelinePagesMax: 20,
  timelineLookMs: SECOND,
} as const;
