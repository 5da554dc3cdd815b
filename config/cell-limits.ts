/** Cells: databases of tenants that have one to themselves. */
export const CELL_LIMITS = {
  /** Of one installation: each costs a process its connections to Redis and its timers. */
  cellsMax: 500,
  /** How long a new tenant may wait until every process knows it. */
  cellLookMs: 2_000,
  /** Databases whose indexes are looked at side by side. */
  cellsOpenedAtOnce: 4,
} as const;
