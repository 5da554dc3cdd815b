/** Of deliveries on their way; a part of `LIMITS`. */
export const DELIVERY_LIMITS = {
  /** Asked or told of one breaker at once. */
  breakerGroupMax: 256,
  /** A breaker that was closed lets calls through for so long without being asked again. */
  breakerNearMs: 100,
  /** Good calls are counted together within this. */
  breakerTellMs: 20,
} as const;
