import { LIMITS } from '../../config/limits.ts';
import { present } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newToken } from '../kernel/ids.ts';
import { supervise } from '../kernel/supervise.ts';
import type { WalletReservations } from '../ledger/wallet-reservations-lock.ts';
import { laneNumberOf } from '../operations/lane-layout.ts';
import type { Layouts } from '../operations/layouts.ts';
import type { Lines } from '../operations/lines.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { OperationDoc } from '../operations/operation.ts';
import { withoutContext } from '../telemetry/context.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type Candidate,
  type Cooling,
  createCooling,
  createFlight,
  createLooks,
  keepGranted,
  selectOrLookFurther,
} from './lane-selection.ts';
import { type JobWaiters, createJobWaiters } from './job-waiters.ts';
import type { Suspects } from './suspects.ts';
import type { Registry } from '../operations/define.ts';
import { type BoundDoc, bindOperation } from './decide.ts';
import { noneFails } from '../kernel/every.ts';

/**
 * Coalesces the jobs of the lanes that this process consumes into batches. A job only says that
 * its lane has work: what is settled is read from MongoDB, oldest first, so a lost, late or
 * repeated job neither reorders nor delays its lane, and finds its work done when it comes.
 */
export interface Settler {
  /**
   * Resolves once none of the operations of a job is open any more, whoever settled them.
   *
   * @throws AppError `shutting_down` when the process stops first: the job must be put back.
   */
  settle(lane: number, operationIds: readonly string[]): Promise<void>;
  /** Reads a lane although no job came: after taking it over, after Redis was away. */
  wakeLane(lane: number): void;
  /** Finishes the batches under way and refuses the jobs still waiting. */
  close(): Promise<void>;
}

interface SettlerDeps {
  readonly registry: Registry;
  readonly store: OperationStore;
  readonly suspects: Suspects;
  readonly lines: Pick<Lines, 'holdBack'>;
  readonly layouts: Layouts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** How batches of several processes keep apart; asked anew for every batch. */
  readonly claims: () => WalletReservations;
  /** Batches under way at once; asked anew for every batch. */
  readonly slots: () => number;
  /** What one batch may weigh; by default as LIMITS says. */
  readonly batchMax?: () => number;
}

interface Claimed {
  readonly batch: readonly Candidate[];
  readonly release: () => Promise<void>;
}

export function createSettler(deps: SettlerDeps): Settler {
  const { store, suspects, layouts, clock, logger, metrics, claims, batchMax = usualMax } = deps;
  const waiters = createJobWaiters();
  const dirty = new Set<number>();
  const flight = createFlight(deps.slots);
  const cooling = createCooling(clock);
  const stopping = new AbortController();
  const looks = createLooks(store);
  const selector = {
    ...{ flight, batchMax, cooling },
    bind: (operation: OperationDoc) => tryBind(deps, operation, cooling),
    onBlocked: () => {
      metrics.deferred.inc({ reason: 'in-flight' });
    },
  };
  let [isPumping, isClaimedElsewhere, failures] = [false, false, 0];
  let pumped: Promise<void> = Promise.resolve();

  const pump = (): void => {
    if (isPumping || stopping.signal.aborted) return;
    isPumping = true;
    pumped = withoutContext(pumpOnce)
      .catch((error: unknown) => {
        failures += 1;
        logger.warn({ err: error, failures }, 'settlement.read.failed');
      })
      .then(async () => {
        if (failures > 0) await clock.sleep(pauseMs(failures, deps.random), stopping.signal);
        isPumping = false;
        if (dirty.size > 0 && flight.hasRoom()) pump();
      });
  };

  const pumpOnce = async (): Promise<void> => {
    while (dirty.size > 0 && flight.hasRoom() && !stopping.signal.aborted) {
      const lanes = [...dirty];
      dirty.clear();
      try {
        await readLanes(lanes);
        failures = 0;
      } catch (error) {
        addAll(dirty, lanes);
        throw error;
      }
    }
  };

  const readLanes = async (lanes: readonly number[]): Promise<void> => {
    const before = waiters.count();
    const limit = batchMax() + flight.operations.size + cooling.size();
    const stored = layouts.storedLanes(lanes);
    const read = await store.openInLanes(stored, limit);
    const isComplete = read.length < limit;
    // The server takes the partial index's word for the status: what settles between its look at
    // the index and its look at the document still comes back, settled. And what was read as open
    // may have landed since.
    const open = read.filter(({ _id, status }) => status === 'accepted' && !waiters.isSettled(_id));
    if (isComplete) waiters.acknowledgeGone(before, { lanes, open, underWay: flight.operations });
    const { batch: chosen, isHeldBack } = await selectOrLookFurther(open, selector, {
      isComplete,
      ...looks(stored, limit),
    });
    if (await layouts.learn()) addAll(dirty, lanes);
    const batch = suspects.cut(await inTurn(deps, { waiters, cooling }, chosen));
    const started = await startClaimed(batch);
    const isRefused = started < batch.length;
    isClaimedElsewhere ||= isRefused;
    // More to read now, or when what blocks it has landed or cooled down.
    if (hasMore({ chosen, batch, started, isComplete })) addAll(dirty, lanes);
    else if (isHeldBack || !isComplete || isRefused) addAll(flight.revisit, lanes);
  };

  /** Starts what the claims allow of a batch; returns how many operations that is. */
  const startClaimed = async (batch: readonly Candidate[]): Promise<number> => {
    const claimed = await claim(batch);
    if (claimed.batch.length > 0) startBatch(claimed);
    else supervise(claimed.release(), () => undefined);
    return claimed.batch.length;
  };

  const runBatch = async (batch: readonly BoundDoc[], slot: number): Promise<void> => {
    try {
      const report = await suspects.run(batch, slot);
      for (const id of report.settled) waiters.resolve(id);
      for (const id of report.parked) waiters.release(id);
      for (const id of report.failed) cooling.add(id, COOL_MS);
      for (const id of report.waiting) cooling.add(id, AWAIT_MS);
      metrics.deferred.inc({ reason: 'awaits-creation' }, report.waiting.length);
      if (report.isUnavailable) failures += 1;
    } catch (error) {
      failures += 1;
      logger.error({ err: error }, 'settlement.batch.crashed');
    }
  };

  /** What other processes are not writing just now; the rest comes again in a moment. */
  const claim = async (batch: readonly Candidate[]): Promise<Claimed> => {
    const owner = newToken();
    const granted =
      batch.length === 0
        ? []
        : await claims().take(
            batch.map(({ resources }) => resources),
            owner,
          );
    const kept = keepGranted(batch, granted);
    if (kept.length < batch.length) {
      metrics.deferred.inc({ reason: 'claimed-elsewhere' }, batch.length - kept.length);
    }
    const held = grantedResources(batch, granted);
    return { batch: kept, release: () => claims().release(held, owner) };
  };

  const startBatch = ({ batch, release }: Claimed): void => {
    const landing = flight.take(batch);
    const bound = batch.map(({ one }) => one);
    const land = (): void => {
      landing.land();
      supervise(release(), () => undefined); // claims run out by themselves
      for (const { operation } of bound) {
        // Whatever is not settled is read again.
        if (!waiters.isSettled(operation._id)) dirty.add(laneOfDoc(operation));
      }
      moveAll(flight.revisit, dirty);
      pump();
    };
    runBatch(bound, landing.slot).then(land, land);
  };

  // What cools down or waits for another lane's work is looked at again without a job.
  const revisit = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(REVISIT_MS, stopping.signal);
      // What only a batch under way holds back is looked at when that lands.
      const isTimed = isClaimedElsewhere || cooling.size() > 0 || flight.operations.size === 0;
      if (flight.revisit.size === 0 || !isTimed) continue;
      isClaimedElsewhere = false;
      moveAll(flight.revisit, dirty);
      pump();
    }
  };
  const revisiting = revisit();

  return Object.freeze({
    settle: async (lane: number, operationIds: readonly string[]) => {
      if (noneFails(operationIds, (id) => waiters.isSettled(id))) return;
      if (stopping.signal.aborted) throw shuttingDown();
      const settled = waiters.wait(lane, operationIds);
      // What stands there waits for a batch under way: a job more changes nothing about that.
      if (!flight.revisit.has(lane) || flight.operations.size === 0) {
        dirty.add(lane);
        pump();
      }
      await settled;
    },
    wakeLane: (lane: number) => {
      dirty.add(lane);
      pump();
    },
    close: async () => {
      stopping.abort();
      await pumped;
      await flight.landed();
      waiters.rejectAll(shuttingDown());
      await revisiting;
    },
  });
}

const usualMax = (): number => LIMITS.settlementBatchMax;
const REVISIT_MS = 20;
/** After a failure that is not the operation's own. */
const COOL_MS = 1_000;
/** For the work of another lane that it needs. */
const AWAIT_MS = 20;
/** For what is older in the lanes of another layout. */
const OTHER_LAYOUT_MS = 100;

function shuttingDown(): AppError {
  return new AppError('shutting_down', 'The worker is stopping; the job goes back to its queue', {
    retryAfterSeconds: 0,
  });
}

function pauseMs(failures: number, random: () => number): number {
  return fullJitterMs(failures, { baseMs: 50, capMs: 2_000, random });
}

/** An operation of a type or version that this code does not know waits for a newer worker. */
function tryBind(
  deps: SettlerDeps,
  operation: OperationDoc,
  cooling: Cooling,
): BoundDoc | undefined {
  try {
    return bindOperation(deps.registry, operation);
  } catch (error) {
    deps.logger.error({ err: error, operationId: operation._id }, 'settlement.unknown-operation');
    cooling.add(operation._id, COOL_MS);
    return undefined;
  }
}

/** Without what has to wait for something older; lanes first, then lines, so that nothing is missed. */
async function inTurn(
  deps: SettlerDeps,
  { waiters, cooling }: { readonly waiters: JobWaiters; readonly cooling: Cooling },
  chosen: readonly Candidate[],
): Promise<readonly Candidate[]> {
  return withoutEarly(deps, waiters, await withoutLater(deps, cooling, chosen));
}

/** Without what has an older one of its line in a lane of another layout; that is settled first. */
async function withoutLater(
  { layouts, metrics }: SettlerDeps,
  cooling: Cooling,
  chosen: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const behind = await layouts.behindOthers(chosen.map(({ one }) => one.operation));
  if (behind.length === 0) return chosen;
  // The first of a line: what stands behind it waits with it.
  const lines = new Set<string>();
  for (const { _id, orderingKey } of behind) {
    if (!lines.has(orderingKey)) cooling.add(_id, OTHER_LAYOUT_MS);
    lines.add(orderingKey);
  }
  metrics.deferred.inc({ reason: 'awaits-other-layout' }, behind.length);
  const ids = new Set(behind.map(({ _id }) => _id));
  return chosen.filter(({ one }) => !ids.has(one.operation._id));
}

/** Without what waits in line for something that is not in a lane; its jobs come again. */
async function withoutEarly(
  { lines, metrics }: SettlerDeps,
  waiters: Pick<JobWaiters, 'release'>,
  chosen: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const early = await lines.holdBack(chosen.map(({ one }) => one.operation));
  for (const id of early) waiters.release(id);
  if (early.size > 0) metrics.deferred.inc({ reason: 'awaits-turn' }, early.size);
  return chosen.filter(({ one }) => !early.has(one.operation._id));
}

function grantedResources(batch: readonly Candidate[], granted: readonly boolean[]): string[] {
  return batch.flatMap(({ resources }, index) => (granted[index] === true ? resources : []));
}

interface Reading {
  readonly chosen: readonly Candidate[];
  /** Without those that left the lane, or have to go alone. */
  readonly batch: readonly Candidate[];
  readonly started: number;
  readonly isComplete: boolean;
}

/** Whether there is more to do at once; what was refused elsewhere waits a moment. */
function hasMore({ chosen, batch, started, isComplete }: Reading): boolean {
  const isCut = batch.length < chosen.length;
  return started > 0 ? isCut || !isComplete : isCut && batch.length === 0;
}

function laneOfDoc(operation: OperationDoc): number {
  return laneNumberOf(present(operation.lane, 'the lane of an atomic operation'));
}

function addAll(to: Set<number>, lanes: Iterable<number>): void {
  for (const lane of lanes) to.add(lane);
}

function moveAll(from: Set<number>, to: Set<number>): void {
  addAll(to, from);
  from.clear();
}
