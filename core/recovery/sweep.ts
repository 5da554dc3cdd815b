import { LIMITS } from '../../config/limits.ts';
import type { LeaseStore } from '../infra/lease-store.ts';
import { AppError } from '../kernel/errors.ts';
import { type OperationHead, SAGA_QUEUE, jobOf, subjectOf } from '../operations/operation.ts';
import type { Schedules } from '../operations/ports.ts';
import type { JobPresence } from '../events/job-presence.ts';
import type { OutboxStore } from '../events/outbox-store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { News } from './news.ts';
import type { Among, RecoveryStore } from '../operations/recovery-store.ts';
import { type RepairDeps, repairInterrupted } from './repair.ts';

interface SweepDeps extends RepairDeps {
  readonly workerId: string;
  readonly store: RecoveryStore;
  readonly outbox: OutboxStore;
  readonly leases: Pick<LeaseStore, 'hold' | 'release'>;
  readonly leaseMs: number | (() => number);
  /** R10: submits the release of holds past their time; how many. */
  readonly expireHolds: () => Promise<number>;
  readonly schedules: Schedules;
  readonly news: News;
}

/** What a sweep found and did, by rule. */
export interface SweepReport {
  /** False: another process holds the lease. */
  readonly isLeader: boolean;
  readonly overdue: number;
  readonly redispatched: number;
  readonly events: number;
}

const NOTHING: SweepReport = { isLeader: false, overdue: 0, redispatched: 0, events: 0 };
const LEASE = 'sweep';
/** Per sweep: what is left comes with the next one. */
const ROUNDS_MAX = 100;

/**
 * One pass over everything that should have moved. Every action is a compare-and-set or idempotent,
 * so that two sweepers at once do nothing twice; the lease only spares the work.
 */
export async function sweep(deps: SweepDeps): Promise<SweepReport> {
  if (!(await deps.leases.hold(LEASE, deps.workerId, leaseMsOf(deps)))) return NOTHING;
  await observeOldest(deps); // first: what follows ends early while Redis is away
  let overdue = 0;
  let redispatched = 0;
  const places = await placesOf(deps);
  const looks = [...places.map((among) => () => sweepAmong(deps, among)), () => sweepNews(deps)];
  for (const look of looks) {
    const found = await look();
    overdue += found.overdue;
    redispatched += found.redispatched;
  }
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const found = await repairInterrupted(deps);
    overdue += found.overdue;
    redispatched += found.repaired;
    if (found.overdue < LIMITS.sweepBatch) break;
  }
  await deps.expireHolds();
  let events = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const published = await sweepOutbox(deps);
    events += published;
    if (published < LIMITS.sweepBatch) break;
  }
  await reapply(deps);
  if (overdue + events > 0) {
    deps.logger.info({ overdue, redispatched, events }, 'sweep.finished');
  }
  return { isLeader: true, overdue, redispatched, events };
}

function leaseMsOf({ leaseMs }: Pick<SweepDeps, 'leaseMs'>): number {
  return typeof leaseMs === 'number' ? leaseMs : leaseMs();
}

/** Each by itself, so that what waits in one hides nothing that was lost in another. */
async function placesOf({ store }: SweepDeps): Promise<readonly Among[]> {
  const lanes = await store.openLanes();
  return [...lanes.map((lane) => ({ lane })), 'stepwise', 'compensating'];
}

interface Swept {
  readonly overdue: number;
  readonly redispatched: number;
}

/**
 * One page of a lane is enough: the job of any operation wakes the lane, which is then read to its
 * end. So a lane costs the same however much waits there. Those that stand in no lane need a job each.
 */
async function sweepAmong(deps: SweepDeps, among: Among): Promise<Swept> {
  const roundsMax = typeof among === 'object' ? 1 : ROUNDS_MAX;
  let swept: Swept = { overdue: 0, redispatched: 0 };
  for (let round = 0; round < roundsMax; round += 1) {
    const { now } = await deps.databaseTime();
    const by = among === 'stepwise' ? await missingBy(deps, now) : now;
    const stale = await deps.store.findOverdue(by, among, LIMITS.sweepBatch);
    const redispatched = await sweepPage(deps, stale, { now, putsOff: true });
    swept = {
      overdue: swept.overdue + stale.length,
      redispatched: swept.redispatched + redispatched,
    };
    if (stale.length < LIMITS.sweepBatch) break;
  }
  return swept;
}

/**
 * What has become overdue since the last sweep, each once: a job that was never enqueued is told from
 * one that waits, and what waits is left as it is.
 */
async function sweepNews(deps: SweepDeps): Promise<Swept> {
  const { now } = await deps.databaseTime();
  const from = deps.news.since('stepwise', now);
  let swept: Swept = { overdue: 0, redispatched: 0 };
  let after: OperationHead | undefined;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const page = await deps.store.findNews({ from, by: now, after }, LIMITS.sweepBatch);
    const redispatched = await sweepPage(deps, page, { now, putsOff: false });
    swept = {
      overdue: swept.overdue + page.length,
      redispatched: swept.redispatched + redispatched,
    };
    after = page.at(-1) ?? after;
    const isAll = page.length < LIMITS.sweepBatch;
    deps.news.seen('stepwise', isAll ? now : (after?.nextCheckAt ?? from));
    if (isAll) break;
  }
  return swept;
}

/**
 * A queue is taken from in order. So whatever was enqueued after the job that comes next still waits
 * behind it, if it is there at all, and has been looked at once: only what was overdue before that can
 * have been missed, however much waits. A job that is lost later, behind it, is seen when the queue has
 * come that far, which is when it would have run.
 */
async function missingBy({ store, publisher }: SweepDeps, now: Date): Promise<Date> {
  const next = await publisher.nextJobs(SAGA_QUEUE, LIMITS.sweepHeads);
  const at = await store.dispatchOf(next.map(subjectOf));
  if (at === undefined) return now;
  return new Date(Math.min(now.getTime(), at.getTime() + LIMITS.recheckMs));
}

/**
 * R1: accepted (or let back in to compensate) and not moved. A job still queued is slow, one that
 * is put off is let in, one that is gone is enqueued again.
 */
async function sweepPage(
  deps: SweepDeps,
  stale: readonly OperationHead[],
  { now, putsOff }: { readonly now: Date; readonly putsOff: boolean },
): Promise<number> {
  if (stale.length === 0) return 0;
  deps.metrics.sweepStale.inc({ rule: 'R1' }, stale.length);
  const presence = await deps.publisher.findJobs(stale.map(jobOf));
  const late = stale.filter((_operation, index) => presence[index] === 'delayed');
  const slow = stale.filter((_operation, index) => presence[index] === 'queued');
  const lost = stale.filter((_operation, index) => !STANDING.has(presence[index] ?? 'gone'));
  await deps.store.putOff(putsOff ? [...slow, ...late] : late, now, LIMITS.recheckMs);
  if (late.length > 0) await deps.publisher.promote(late.map(jobOf));
  await deps.failpoint('recovery.before-redispatch');
  const moved = await deps.store.redispatch(lost, now);
  if (moved.length > 0) await deps.publisher.publishOperations(moved.map(jobOf));
  await deps.failpoint('recovery.after-redispatch');
  deps.metrics.sweepRepaired.inc({ rule: 'R1' }, moved.length);
  for (const operation of moved) observeRepair(deps.metrics, operation, now);
  return moved.length;
}

const STANDING: ReadonlySet<JobPresence> = new Set(['queued', 'delayed']);

/** The clock of the repair runs from the first moment when the operation might have moved. */
function observeRepair(metrics: Metrics, operation: OperationHead, now: Date): void {
  const seconds = (now.getTime() - operation.dispatch.at.getTime()) / 1_000;
  metrics.timeToRepair.observe({ rule: 'R1' }, Math.max(0, seconds));
}

/** R7: outbox rows that nobody has dealt with, published again under the same id. */
async function sweepOutbox(deps: SweepDeps): Promise<number> {
  const rows = await deps.outbox.takeStale(LIMITS.sweepBatch, LIMITS.outboxRecheckMs);
  if (rows.length === 0) return 0;
  deps.metrics.sweepStale.inc({ rule: 'R7' }, rows.length);
  await deps.publisher.republishEvents(rows);
  deps.metrics.sweepRepaired.inc({ rule: 'R7' }, rows.length);
  return rows.length;
}

/** R9: what stands in Redis alone, after Redis has been emptied. */
async function reapply({ schedules, metrics, logger }: SweepDeps): Promise<void> {
  const missing = await schedules.ensure();
  if (missing === 0) return;
  metrics.sweepStale.inc({ rule: 'R9' }, missing);
  metrics.sweepRepaired.inc({ rule: 'R9' }, missing);
  logger.info({ rule: 'R9', missing }, 'schedules.put-back');
}

async function observeOldest(deps: SweepDeps): Promise<void> {
  const [oldest, { now }] = await Promise.all([deps.store.oldestOpen(), deps.databaseTime()]);
  const ageMs = oldest === undefined ? 0 : now.getTime() - oldest.getTime();
  deps.metrics.oldestOpen.set(Math.max(0, ageMs / 1_000));
}

/** True for failures that end a sweep early and nothing else: Redis is away, the next one goes on. */
export function isQueueAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'queue_unavailable';
}
