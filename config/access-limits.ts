/** Of keys, tokens, guesses and rates. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY_SECONDS = 24 * 3_600;

export const ACCESS_LIMITS = {
  /** Open keys of a tenant. */
  keysMax: 1_000,
  keyNameCharsMax: 100,
  keyScopesMax: 50,
  /** For how long the old secret of a rotated key may still be good. */
  keyGraceSecondsMax: 30 * DAY_SECONDS,
  /** Old secrets of a key that are good at a time, and rotations whose repeats are known. */
  keySecretsMax: 5,
  keyRotationsKept: 20,
  /** How exactly it is known when a key was used last, and how often that is written together. */
  keyUsedMs: MINUTE,
  keyUsedFlushMs: 2 * SECOND,
  keyUsedGroupMax: 500,
  /** Keys that are looked up together, and such reads at a time. */
  keyReadsMax: 500,
  keyReadSlots: 2,
  /** Keys of a tenant that the command line lists. */
  keysListed: 2_000,
  tenantCacheMax: 10_000,

  /** The keys of an issuer are fetched again after the first, and used for the second without it. */
  jwksFreshMs: 10 * MINUTE,
  jwksKeptMs: HOUR,
  /** Between two fetches that tokens with unknown keys ask for, or after one that failed. */
  jwksPauseMs: 30 * SECOND,
  jwksAnswerMs: 5 * SECOND,
  jwksKeysMax: 100,
  /** A token that was checked is good for so long, if it does not end sooner. */
  tokenKnownMs: MINUTE,
  tokensKnownMax: 10_000,
  tokenToleranceSecondsMax: 120,

  /** Wrong keys within the window, of one group of addresses: secrets of one key, and any. */
  guessesOfKey: 10,
  guessesOfGroup: 300,
  guessWindowMs: MINUTE,
  /** Beyond that each is held for so long, up to so many in a process. */
  guessHoldMs: SECOND,
  guessesHeldMax: 1_000,
  guessersMax: 20_000,

  /** Requests whose rates are asked for together, and such questions at a time. */
  rateGroupMax: 1_000,
  rateSlots: 2,
  /** Redis is not waited for longer; after that each process counts for itself for a while. */
  rateAnswerMs: 150,
  rateAwayMs: SECOND,
  /** Buckets that a process counts in by itself. */
  rateLocalMax: 20_000,

  /** Between two reads of a log of deeds by time, clocks of processes may differ by so much. */
  auditClockSkewMs: 10 * MINUTE,
} as const;

export const GRACE_DEFAULT_SECONDS = DAY_SECONDS;
export const AUDIT_ACTOR_CHARS_MAX = 400;
