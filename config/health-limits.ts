const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** From where on the verdict on the platform's health is no longer `ok`; the runbooks name them. */
export const HEALTH_LIMITS = {
  /** One source may take so long; all of them are asked side by side. */
  sourceMs: 1_500,
  /** Who asks again within this gets the last report. */
  keptMs: 1_000,
  /** What is known only by a clock of its own, a report's sample, is of no use beyond this. */
  staleMs: 60 * SECOND,

  /** Money: of the newest entries, so many are added up, and so many wallets held against them. */
  entriesSampled: 500,
  walletsSampled: 50,

  /** Flow. */
  backlogShareDegraded: 0.5,
  backlogShareCritical: 0.9,
  oldestDegradedMs: 45 * SECOND,
  oldestCriticalMs: 5 * MINUTE,
  tenantsLookedAt: 100,
  tenantBacklogDegraded: 100_000,
  /** A backlog below this may come and go. */
  growthBacklogMin: 1_000,
  growthMs: MINUTE,

  /** Execution. */
  attentionCritical: 100,
  deliveriesSampled: 500,
  deliveriesSampledMin: 20,
  failedShareDegraded: 0.1,
  failedShareCritical: 0.5,
  retriesDegraded: 1_000,

  /** Liveness. */
  recoveryDegradedMs: 30 * SECOND,
  recoveryCriticalMs: 2 * MINUTE,
  loopDegradedSeconds: 0.25,
  loopCriticalSeconds: 1,

  /** Dependencies. */
  lagDegradedMs: 10 * SECOND,
  lagCriticalMs: MINUTE,
  poolWaitersDegraded: 10,
  poolWaitersCritical: 100,
  redisMemoryDegraded: 0.75,
  redisMemoryCritical: 0.9,
} as const;
