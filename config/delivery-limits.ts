/** Of deliveries on their way; a part of `LIMITS`. */
export const DELIVERY_LIMITS = {
  /** Asked or told of one breaker at once. */
  breakerGroupMax: 256,
  /** A breaker that was closed lets calls through for so long without being asked again. */
  breakerNearMs: 100,
  /** Good calls are counted together within this. */
  breakerTellMs: 20,
  /** Rows of the outbox that share a reading of their tenants' plans. */
  routingGroupMax: 64,
  /** Deliveries that one job stands for, and that one insert stores. */
  jobDeliveriesMax: 64,
  deliveryInsertMax: 500,
  deliveryInsertCharsMax: 4_000_000,
  /** Between two groups of claims, and of outcomes, while more of them come. */
  deliveryClaimPaceMs: 8,
  deliveryWritePaceMs: 25,
  /** Taken from the queue and not yet dealt with, in one process and of one channel. */
  deliveryHandMax: 2_048,
  /** More are fetched while fewer than these are being made ready or get a place within this. */
  deliveryReadyMin: 128,
  deliverySoonMs: 500,
  deliveryFetchMs: 5,
  /** What is read of a delivery is good for a call within this. */
  deliverySightMsMax: 1_000,
  /** What failed for a reason of ours comes again after this. */
  deliveryTroubleMs: 2_000,
  /** Calls at once to a target that has not taken anything yet. */
  deliveryUnprovenMax: 2,
  /** Calls older than this have half of the places at the most; they are counted this often. */
  deliveryOldMs: 1_000,
  deliveryOldCountMs: 100,
  /** What has gathered for a target that was away comes back in steps, each twice the one before. */
  deliveryWakeStepMs: 1_000,
} as const;
