const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Of the lines in which operations wait for older ones; a part of `LIMITS`. */
export const LINE_LIMITS = {
  /** A stepwise operation that has begun and posted nothing keeps others of its line waiting so long. */
  lineHoldMs: MINUTE,
  /** Whether it is the turn of what waits in line is looked at again: of the first, and behind it. */
  lineCheckMs: 15 * SECOND,
  /** Who waits in line is let in; where a server is away, that is tried again. */
  lineMoveTries: 4,
  lineMovePauseMs: 500,
  lineDeepCheckMs: 2 * MINUTE,
  /** For a user or wallet that another line creates. */
  lineCreationCheckMs: SECOND,
  /** Let in at once, of one line; and read at once, of several. */
  lineRunMax: 500,
  linePageMax: 1_000,
  /** Lanes of another layout are consumed for so long after they have been empty: jobs come late. */
  laneLayoutKeptMs: MINUTE,
  /** Looked at by one sweep: more than all settings have together. */
  openLanesMax: 2_500,
} as const;
