import { BACKLOG_LIMITS } from './backlog-limits.ts';
import { DELIVERY_LIMITS } from './delivery-limits.ts';
import { LINE_LIMITS } from './line-limits.ts';
import { LIST_LIMITS } from './list-limits.ts';
import { PAYMENT_LIMITS } from './payment-limits.ts';
import { SAGA_LIMITS } from './saga-limits.ts';
import { STREAM_LIMITS } from './stream-limits.ts';

/**
 * Hard ceilings and time budgets. Everything here is fixed at build time and asserted to fit
 * together when the module loads; what an operator may tune lives in `service_configs`, what a
 * deployment must set lives in `env.ts`.
 */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const LIMITS = {
  /** HTTP. */
  bodyBytesMax: 1_048_576,
  bulkItemsMax: 1_000,
  batchItemsMax: 1_000,
  jsonDepthMax: 16,
  /** Of one object, and of a whole text: what is larger is refused without being parsed. */
  jsonMembersMax: 1_000,
  jsonValuesMax: 100_000,
  /** What a problem document quotes of a request, and what all of a bulk answer do together. */
  problemTextCharsMax: 1_000,
  problemPointerCharsMax: 300,
  bulkProblemCharsMax: 100_000,
  /** Items of a bulk request are looked at for so long before others get their turn. */
  bulkSliceMs: 20,
  idempotencyKeyCharsMax: 255,
  correlationIdCharsMax: 128,
  preferWaitSecondsMax: 30,
  /** Requests of one connection that run ahead of their answers; how many more are read. */
  pipelinedMax: 8,
  pipelinedWaitingMax: 32,
  /** A scrape is shared by those who ask for it within this. */
  scrapeKeptMs: 250,
  /** Requests held open by `Prefer: wait`, and ids per look at them. */
  waitersMax: 10_000,
  waitersReadMax: 500,
  metadataEntriesMax: 20,
  metadataKeyCharsMax: 40,
  metadataValueCharsMax: 500,
  userIdCharsMax: 128,
  orderingKeyCharsMax: 128,
  descriptionCharsMax: 500,

  /** Money, in minor units: one movement, and any balance that it may lead to. */
  amountMinorMax: 1_000_000_000_000_000n,
  balanceMinorMax: 4_000_000_000_000_000_000n,
  /** A stripe of a system wallet beyond this is full, and the next takes over. */
  systemStripeMinorMax: 2_000_000_000_000_000_000n,
  /** Lifetime totals beyond this drop what both sides have in common. */
  totalMinorMax: 9_000_000_000_000_000_000n,

  /** Ingest. */
  groupCommitWindowMs: 2,
  /** The same while other groups are under way: what lands sooner starts the next. */
  groupCommitPatienceMs: 10,
  /** Waiting requests that start a group before its time is up. */
  groupCommitEnough: 32,
  groupCommitSizeMax: 500,
  groupCommitsInFlightMax: 4,
  /** Nobody waits longer to hear whether something was stored, even that it is unknown. */
  ingestAnswerMs: 10 * SECOND,
  ...BACKLOG_LIMITS,

  /** Settlement. */
  lanes: 8,
  /** The most that the setting may say. */
  lanesEver: 64,
  settlementBatchMax: 400,
  settlementSlots: 2,
  /** A look at a lane leaves larger inputs out, and those of a batch are read within this. */
  laneInputBytesMax: 4_096,
  settlementBytesMax: 2_097_152,
  settlementAttemptsMax: 5,
  /** Operations that one job of a lane stands for, and jobs of a lane under way at once. */
  jobOperationsMax: 64,
  laneConcurrency: 64,
  systemStripes: 16,
  laneLeaseMs: 10 * SECOND,
  laneLeaseRenewMs: 3 * SECOND,
  recentlySettledMax: 50_000,
  ...LINE_LIMITS,
  ...LIST_LIMITS,
  /** Outlives a batch by far; a process that died holds wallets back no longer than this. */
  claimMs: 3 * SECOND,
  claimTimeoutMs: 200,

  /** Recovery (DESIGN P4: nothing stays non-terminal longer than 45 s after a fault ends). */
  firstCheckMs: 15 * SECOND,
  recheckMs: 15 * SECOND,
  sweepIntervalMs: 10 * SECOND,
  sweepJitterMs: 2 * SECOND,
  sweepBatch: 200,
  sweepLeaseMs: 15 * SECOND,
  outboxStaleMs: 5 * SECOND,
  outboxEventsMax: 500,
  outboxRecheckMs: 30 * SECOND,
  /** A row waits for an earlier one of the same operation; it is looked at again after the second. */
  outboxOrderMs: 10 * MINUTE,
  outboxOrderLookMs: 50,
  repairBudgetMs: 45 * SECOND,

  /** Sagas. */
  operationLeaseMs: 30 * SECOND,
  operationHeartbeatMs: 10 * SECOND,
  /** No new external call this close to the end of a lease. */
  operationFenceMs: 5 * SECOND,
  sagaGroupMax: 128,
  sagaClaimSlots: 2,
  sagaWriteSlots: 2,
  sagaTransactionSlots: 2,
  sagaConflictTriesMax: 12,
  sagaRetryInPlaceMs: 2 * SECOND,
  sagaUndoAttemptsMax: 12,
  sagaUndoRetryMs: 500,
  sagaUndoRetryMsMax: MINUTE,
  sagaLedgerAttemptsMax: 5,
  waitRecheckMs: HOUR,
  riskReviewMs: 72 * HOUR,
  timerIntervalMs: SECOND,
  interruptionsMax: 10,
  /** What comes from outside stands in the operation's own document, so it is bounded. */
  signalsMax: 32,
  signalBytesMax: 16_384,
  noteCharsMax: 500,
  /** What an operation keeps for its timeline: earlier attempts of a step, and its parkings. */
  stepTriesKept: 40,
  parkingsKept: 20,

  /** Notifications. */
  ...DELIVERY_LIMITS,
  pushTargetsMax: 10,
  deliveryConcurrency: 1_024,
  /** Waiting for a place at one host, and at all hosts of a channel, in one process. */
  deliveryLineMax: 256,
  deliveryLinesMax: 512,
  /** Texts of the messages under way or in a line: two bytes each at the most. */
  deliveryCharsInFlightMax: 32_000_000,
  deliveryWaitMs: 2 * SECOND,
  /** What finds no place comes again after this, by how far it is from its turn. */
  deliveryPutBackMs: 50,
  deliveryPutBackMsMax: 30 * SECOND,
  deliveryGroupMax: 128,
  deliveryGroupsInFlightMax: 2,
  deliveryLeaseMs: 30 * SECOND,
  /** Between the deadline of an attempt and the end of its lease: for the journal. */
  deliveryMarginMs: 5 * SECOND,
  /** A lost job is found this long after its delivery was due. */
  deliveryRecheckMs: 10 * SECOND,
  deliverySweepMs: 5 * SECOND,
  deliveryAttemptsKept: 100,
  /** What waits for a breaker comes back within this after it may let one through. */
  deferSpreadMs: 5 * SECOND,
  /** The first pause after a throttle that says no time, and after one that does; doubled each time. */
  throttledMs: 30 * SECOND,
  throttledMsMin: SECOND,
  throttledMsMax: HOUR,
  throttlesMax: 24,
  /** For others to the same endpoint when it says no time; longest hold of what tenants share. */
  throttleHoldMs: SECOND,
  sharedHoldMsMax: MINUTE,
  /** What one tenant has under way or in a line on one channel of a process; who exceeds it waits. */
  deliveryShareMax: 512,
  deliveryShareWaitMs: SECOND,
  breakersMax: 10_000,
  templateCacheMs: 2 * SECOND,
  templatesCachedMax: 5_000,
  zonesCachedMax: 500,
  webhookEndpointsMax: 50,
  webhookFiltersMax: 50,
  /** The old secret signs as well for this long. */
  webhookRotationMs: 24 * HOUR,
  /** An endpoint that has only failed for this long is disabled. */
  webhookFailingMsMax: 120 * HOUR,
  /** Longer than the longest pause between two attempts: what failed before that has not gone on. */
  webhookFailingPauseMsMax: 30 * HOUR,
  /** How exactly the last failure is known. */
  webhookFailingNoteMs: 10 * MINUTE,
  /** Secrets that sign at a time, and rotations whose repeats are known. */
  webhookSecretsMax: 10,
  webhookRotationKeysMax: 50,
  templateCharsMax: 50_000,
  /** What a part of a message may become, and the lines of a digest together. */
  templateOutputCharsMax: 200_000,
  digestCharsMax: 50_000,
  notificationDataMax: 50,
  digestWindowMs: HOUR,
  digestItemsMax: 100,
  /** Events that a digest counts beyond those; what exceeds it goes into the next one. */
  digestMoreMax: 2_000,
  /** Windows that are looked at before and after the present one. */
  digestsBehindMax: 48,
  digestsAheadMax: 24,
  replayMax: 10_000,
  suppressionsRemovedMax: 10_000,
  /** Requests to send one delivery again whose repeats are known. */
  resendTokensMax: 20,

  ...PAYMENT_LIMITS,
  ...SAGA_LIMITS,

  /** Notification providers: what one attempt may cost, whatever the other side does. */
  providerAttemptMs: 20 * SECOND,
  providerConnectMs: 5 * SECOND,
  /** From the status line to the end of the body; the status counts either way. */
  providerReplyMs: 2 * SECOND,
  providerReplyBytesMax: 65_536,
  providerConnectionsMax: 64,
  providerIdleMs: 30 * SECOND,
  providerIdleConnectionsMax: 512,
  retryAfterMsMax: 24 * HOUR,
  dnsTimeoutMs: 1_500,
  dnsTriesMax: 2,
  dnsAddressesTriedMax: 3,
  webhookUrlCharsMax: 2_048,
  smtpConnectionsMax: 5,
  smtpMessagesPerConnectionMax: 100,
  accessTokenMs: 5 * SECOND,
  pushTtlMs: 24 * HOUR,

  ...STREAM_LIMITS,

  /** Databases. */
  mongoPoolMax: 50,
  mongoServerSelectionMs: 5 * SECOND,
  /** A primary that stalls is found out after the two together, and its connections end. */
  mongoConnectMs: 5 * SECOND,
  mongoHeartbeatMs: 5 * SECOND,
  mongoSocketMs: 60 * SECOND,
  mongoWaitQueueMs: 5 * SECOND,
  mongoMaxTimeMs: 20 * SECOND,
  mongoWriteConcernMs: 10 * SECOND,
  /** The primary's clock is read again after the first, and must have been within the second. */
  databaseClockMs: SECOND,
  databaseClockMsMax: 10 * SECOND,
  /** A reading that may be further off says nothing; twice this is waited for one. */
  databaseClockErrorMsMax: 500,
  /** While no better one comes, our own clock goes on from the last good reading. */
  databaseClockHoldMs: 5 * MINUTE,
  redisConnectMs: 5 * SECOND,
  redisCommandMs: 5 * SECOND,
  redisReconnectMsMax: 2 * SECOND,

  /** Autoscaling: bounds that may be asked for, and the upper one when none is. */
  replicasMax: 1_000,
  replicasDefaultMax: 8,

  /** Lifecycle. */
  requestHeadersMs: 10 * SECOND,
  requestMs: 30 * SECOND,
  /** From a request's last byte to its answer, but for what it asked to wait. */
  answerMs: 25 * SECOND,
  keepAliveMs: 70 * SECOND,
  drainDeadlineMs: 25 * SECOND,
  /** A request whose body has not arrived by then is not waited for. */
  drainBodyMs: 2 * SECOND,
  /** From SIGTERM to the end of the process, whatever hangs. */
  closeMs: 35 * SECOND,
  readinessProbeMs: 1_500,
  adminSessionMs: 12 * HOUR,
  /** A browser that has signed in is known for so long. */
  adminKnownMs: 90 * 24 * HOUR,
  /** Wrong passwords from one address before it has to pause; fewer are none when many guess. */
  adminGuessesFree: 4,
  adminGuessPauseMs: SECOND,
  adminGuessPauseMsMax: MINUTE,
  /** Of all addresses within the window, which is also when those of one are forgotten. */
  adminGuessesMax: 100,
  adminGuessWindowMs: 15 * MINUTE,
  adminGuessersMax: 10_000,
  apiKeyCacheMs: 10 * SECOND,
  shutTenantCacheMs: SECOND,
  apiKeyCacheMax: 10_000,
} as const;

const RELATIONS: readonly (readonly [boolean, string])[] = [
  [LIMITS.laneLeaseRenewMs * 3 <= LIMITS.laneLeaseMs, 'a lane lease survives two missed renewals'],
  [
    LIMITS.operationHeartbeatMs * 3 <= LIMITS.operationLeaseMs,
    'an operation lease survives two missed heartbeats',
  ],
  [
    LIMITS.operationLeaseMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs < LIMITS.repairBudgetMs,
    'the saga of a dead worker is taken over within the repair budget',
  ],
  [
    LIMITS.operationFenceMs + LIMITS.operationHeartbeatMs < LIMITS.operationLeaseMs,
    'a worker that renews its leases may call out',
  ],
  [
    LIMITS.firstCheckMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs < LIMITS.repairBudgetMs,
    'a lost job is found within the repair budget',
  ],
  [
    LIMITS.laneLeaseMs + LIMITS.sweepIntervalMs < LIMITS.repairBudgetMs,
    'a dead lane owner is replaced within the repair budget',
  ],
  [
    LIMITS.repairBudgetMs < LIMITS.lineHoldMs,
    'an operation whose worker died is repaired before it loses its place in line',
  ],
  [
    LIMITS.lineCheckMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs < LIMITS.repairBudgetMs,
    'a turn that nobody has told of is found within the repair budget',
  ],
  [
    LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs < LIMITS.sweepLeaseMs,
    'the sweep lease outlives one period',
  ],
  [
    LIMITS.deliveryRecheckMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs <
      LIMITS.repairBudgetMs,
    'a lost delivery job is found within the repair budget',
  ],
  [
    LIMITS.deliveryRecheckMs + LIMITS.deliveryPutBackMsMax < LIMITS.repairBudgetMs,
    'a delivery that was put back moves within the repair budget',
  ],
  [
    LIMITS.deliveryLinesMax <= LIMITS.deliveryConcurrency / 2,
    'who waits for a place leaves half of the pool to others',
  ],
  [
    LIMITS.paymentProvidersMax * LIMITS.paymentInFlightMax + LIMITS.paymentLinesMax <=
      (LIMITS.sagaConcurrency * 3) / 4,
    'providers that hang leave a quarter of the saga pool to others',
  ],
  [LIMITS.sagaSleepersMax <= LIMITS.sagaConcurrency / 4, 'who sleeps leaves the pool to others'],
  [
    LIMITS.deliveryShareMax <= LIMITS.deliveryConcurrency / 2,
    'a tenant leaves half of the pool to others',
  ],
  [
    LIMITS.providerConnectMs * LIMITS.dnsAddressesTriedMax < LIMITS.providerAttemptMs,
    'an attempt may try each of the addresses',
  ],
  [LIMITS.streamBlockMs < LIMITS.redisCommandMs, 'waiting for events is no timeout'],
  [LIMITS.streamReadEvents < LIMITS.streamRecentMax, 'what is read at once is kept'],
  [LIMITS.amountMinorMax * 1_000n < LIMITS.balanceMinorMax, 'balances have room above amounts'],
  [
    BigInt(LIMITS.batchItemsMax) * LIMITS.amountMinorMax <= LIMITS.systemStripeMinorMax / 2n &&
      LIMITS.systemStripeMinorMax + LIMITS.amountMinorMax < LIMITS.balanceMinorMax,
    'a batch takes a stripe at most from filling to full',
  ],
  [LIMITS.balanceMinorMax < 2n ** 63n, 'balances fit an int64'],
  [LIMITS.totalMinorMax + LIMITS.amountMinorMax < 2n ** 63n, 'totals fit an int64'],
  [LIMITS.lanes <= LIMITS.lanesEver, 'the setting allows its own default'],
  [LIMITS.groupCommitEnough <= LIMITS.groupCommitSizeMax, 'what starts a group fits into it'],
  [LIMITS.groupCommitWindowMs <= LIMITS.groupCommitPatienceMs, 'company is worth a longer wait'],
  [
    LIMITS.mongoServerSelectionMs < LIMITS.ingestAnswerMs,
    'a request that finds no primary hears so from the driver',
  ],
  [
    LIMITS.ingestAnswerMs + LIMITS.preferWaitSecondsMax * SECOND < LIMITS.repairBudgetMs,
    'a request is answered within the repair budget, however long it waits',
  ],
  [
    LIMITS.drainDeadlineMs + 5 * SECOND < LIMITS.closeMs,
    'what rests on the drained is closed within the time to close',
  ],
  [
    LIMITS.transactionMsMax + 2 * LIMITS.databaseClockErrorMsMax < LIMITS.settledWithinMs,
    'lists with the oldest first wait for every transaction',
  ],
  [LIMITS.batchItemsMax <= LIMITS.bulkItemsMax, 'a batch fits a bulk request'],
];

for (const [holds, claim] of RELATIONS) {
  if (!holds) throw new Error(`config/limits.ts: broken relation: ${claim}`);
}
