const SECOND = 1_000;

/** Of settings and pauses; apart from `LIMITS`, which they stand on. */
export const SERVICE_CONFIG_LIMITS = {
  /** A change is in force everywhere after this, a read and their ages included, by 5 s. */
  pollMs: 2 * SECOND,
  pollMaxTimeMs: 2 * SECOND,
  /** Scopes that anything is set for, and settings that one change may name. */
  scopesMax: 5_000,
  changeMax: 60,
  reasonCharsMax: 500,
  authorCharsMax: 200,
  /** A start waits so long for the first reading, then goes on with what is built in. */
  firstReadMs: 10 * SECOND,
} as const;
