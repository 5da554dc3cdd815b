const SECOND = 1_000;

/** When a provider is left alone, and for how long; each number is the default of a setting. */
export const DELIVERY_BREAKER = {
  windowMs: 60 * SECOND,
  /** Opens at this share of failures … */
  failureShare: 0.5,
  /** … of at least as many calls. */
  samplesMin: 10,
  openMs: 30 * SECOND,
  openMsMax: 600 * SECOND,
  /** A probe that has not come back by then is taken for lost, and another one goes out. */
  probeMs: 60 * SECOND,
  /** Who finds a probe under way asks again after this. */
  recheckMs: 5 * SECOND,
} as const;

/** Of payment providers: a customer is waiting, so one that is well again is found out soon. */
export const PAYMENT_BREAKER = {
  ...DELIVERY_BREAKER,
  openMs: 5 * SECOND,
  openMsMax: 60 * SECOND,
  /** Longer than any call: one that hangs has failed, it is not lost. */
  probeMs: 25 * SECOND,
  recheckMs: 2 * SECOND,
} as const;
