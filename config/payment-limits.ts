const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Of calls to payment providers; a part of `LIMITS`. */
export const PAYMENT_LIMITS = {
  /**
   * Payment providers: calls under way to one in one process, and who may wait for a place, for as many
   * sagas as LIMITS has; of another number of them the same shares (`saga-shares.ts`).
   */
  paymentInFlightMax: 64,
  paymentLineMax: 256,
  paymentLinesMax: 256,
  /**
   * How long a saga waits in its process while a provider is merely busy: to put it away and fetch it
   * again is two writes, a sweep and a job. One that hangs has a line longer than this at once.
   */
  paymentWaitMs: 10 * SECOND,
  /** Who may do so besides those in the line. */
  paymentBusyMax: 192,
  /** Providers that there is code for, at the most. */
  paymentProvidersMax: 2,
  /** The longest wait that one may ask for; the calls of others are held back no longer than this. */
  paymentWaitMsMax: HOUR,
  paymentHoldMsMax: MINUTE,
  /** A step waits so long for a provider that does not answer, then a human has to look. */
  paymentPatienceMs: 72 * HOUR,
  /** What a worker cannot do comes again after this, to another one if there is. */
  workerUnfitMs: 2 * SECOND,
  /** What processes say that they have: how often, and for how long it counts as so, and as known. */
  rosterBeatMs: 5 * SECOND,
  rosterAliveMs: 30 * SECOND,
  rosterMemoryMs: HOUR,
} as const;
