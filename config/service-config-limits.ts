const SECOND = 1_000;

/** Of settings and pauses; apart from `LIMITS`, which they stand on. */
export const SERVICE_CONFIG_LIMITS = {
  /** A change is in force everywhere after this, a read and their ages included, by 5 s. */
  pollMs: 1_500,
  pollMaxTimeMs: 2 * SECOND,
  /** Scopes that anything is set for, and settings that one change may name. */
  scopesMax: 5_000,
  changeMax: 60,
  reasonCharsMax: 500,
  authorCharsMax: 200,
  /** A start waits so long for the first reading, then goes on with what is built in. */
  firstReadMs: 10 * SECOND,
  /** Pauses in force at a time. */
  pausesMax: 200,
  perSecondMax: 10_000,
  /** Let in at once of what a pause has held back, and how often in one go. */
  heldPage: 500,
  heldPagesMax: 20,
  letInLeaseMs: 5 * SECOND,
  /** What a pause has put off is looked at again after this, although nothing says that it is over. */
  pausedRecheckMs: 600 * SECOND,
  /** A payment step whose provider is paused asks again after this. */
  pausedStepMs: 15 * SECOND,
  /** Held back by one pause: counted up to. */
  heldCountMax: 10_000,
} as const;
