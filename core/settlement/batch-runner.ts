import { LIMITS } from '../../config/limits.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { faultOf, isPassing } from '../infra/database-errors.ts';
import { createRecentMap } from '../infra/recent-map.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Failure } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { newToken } from '../kernel/ids.ts';
import { supervise } from '../kernel/supervise.ts';
import { laterOf } from '../ledger/book.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { Lines } from '../operations/lines.ts';
import { moveLinesOn } from '../operations/move-lines-on.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { JobPublisher } from '../operations/ports.ts';
import type { OutboxRow } from '../events/outbox.ts';
import type { SettledHints } from '../events/hints.ts';
import { outboxRows } from '../events/outbox-rows.ts';
import { type SettleStore } from '../operations/settle-store.ts';
import type { OutboxStore } from '../events/outbox-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Metrics, codeLabel } from '../telemetry/metrics.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import { withTraces } from '../events/outbox-traces.ts';
import { traceBatch } from './trace-batch.ts';
import { decideOrDefer } from './decide-or-defer.ts';
import { type BoundDoc, type Outcome, batchReads } from './decide.ts';

/** What became of a batch. Operations in none of the lists are to be read again. */
export interface BatchReport {
  readonly settled: readonly string[];
  /** Put before a human, who may set them back. */
  readonly parked: readonly string[];
  /** Failed alone, for a reason that is not theirs: try again after a pause. */
  readonly failed: readonly string[];
  /** Wait for the work of another lane that creates what they need. */
  readonly waiting: readonly string[];
  /** The database could not be reached; nothing is known of the rest. */
  readonly isUnavailable: boolean;
}

export interface BatchRunner {
  /** Settles a batch, in one transaction if it can. Never rejects for a database failure. */
  run(batch: readonly BoundDoc[], slot: number): Promise<BatchReport>;
  /** Puts operations before a human, untried. */
  park(batch: readonly BoundDoc[], why: (operation: OperationDoc) => string): Promise<BatchReport>;
}

interface RunnerDeps {
  readonly workerId: string;
  readonly ledger: LedgerStore;
  readonly operations: SettleStore;
  readonly outbox: OutboxStore;
  readonly lines: Pick<Lines, 'moveOn'>;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  readonly random: () => number;
  readonly tracer?: Tracer;
  /** The stripe of the system wallets for a slot of this process. */
  readonly stripeOf: (slot: number) => number;
}

interface Tally {
  readonly settled: string[];
  readonly parked: string[];
  readonly failed: string[];
  readonly waiting: string[];
  isUnavailable: boolean;
}

/** Conflicts before a batch is halved: the first retry usually succeeds. */
const CONFLICTS_BEFORE_SPLIT = 2;
const CONFLICT_PAUSE = { baseMs: 2, capMs: 100 } as const;
/** Operations whose failures are counted at a time. */
const FAILING_MAX = 10_000;

export function createBatchRunner(deps: RunnerDeps): BatchRunner {
  /** Failures of single operations, so that a poison one ends with a human. */
  const attempts = createRecentMap<number>(FAILING_MAX);

  const note = ({ waiting, outcomes }: Committed, tally: Tally): void => {
    tally.waiting.push(...waiting);
    for (const { operation, status } of outcomes) {
      const list = status === 'needs_attention' ? tally.parked : tally.settled;
      list.push(operation._id);
      attempts.delete(operation._id);
    }
    moveLinesOn(deps, linesBehind(outcomes.map(({ operation }) => operation)));
  };

  const settlePart = async (
    part: readonly BoundDoc[],
    slot: number,
    tally: Tally,
  ): Promise<void> => {
    for (let conflicts = 0; !tally.isUnavailable;) {
      try {
        const committed = await settleOnce(deps, part, deps.stripeOf(slot));
        if (committed !== undefined) note(committed, tally);
        return;
      } catch (error) {
        const fault = faultOf(error);
        if (fault === 'unavailable' || fault === 'commit-unknown') {
          deps.logger.warn({ err: error, count: part.length }, 'settlement.database.unavailable');
          deps.metrics.conflicts.inc({ reason: fault });
          tally.isUnavailable = true;
          return;
        }
        if (fault === 'transient' && conflicts < CONFLICTS_BEFORE_SPLIT) {
          deps.metrics.conflicts.inc({ reason: 'write-conflict' });
          conflicts += 1;
          await deps.clock.sleep(
            fullJitterMs(conflicts, { ...CONFLICT_PAUSE, random: deps.random }),
          );
          continue;
        }
        deps.logger.debug({ err: error, count: part.length }, 'settlement.batch.split');
        if (part.length > 1) return splitPart(part, slot, tally);
        return failAlone(part, error, tally);
      }
    }
  };

  const splitPart = async (
    part: readonly BoundDoc[],
    slot: number,
    tally: Tally,
  ): Promise<void> => {
    const middle = Math.ceil(part.length / 2);
    deps.metrics.conflicts.inc({ reason: 'split' });
    await settlePart(part.slice(0, middle), slot, tally);
    const failedLines = new Set(
      part
        .slice(0, middle)
        .filter(({ operation }) => isLeft(tally, operation._id))
        .map(({ operation }) => operation.orderingKey),
    );
    // What is behind an operation that is left over in its line stays behind it.
    const rest = part
      .slice(middle)
      .filter(({ operation }) => !failedLines.has(operation.orderingKey));
    if (rest.length > 0) await settlePart(rest, slot, tally);
  };

  const failAlone = async (
    part: readonly BoundDoc[],
    error: unknown,
    tally: Tally,
  ): Promise<void> => {
    for (const { operation } of part) {
      // What time may mend is not the operation's own: it counts for nothing, however often.
      const isOwn = !isPassing(error);
      const tries = (attempts.get(operation._id) ?? 0) + (isOwn ? 1 : 0);
      attempts.set(operation._id, tries);
      deps.logger[isOwn ? 'error' : 'warn'](
        { err: error, operationId: operation._id, tries },
        'operation.failed',
      );
      if (!isOwn || tries < LIMITS.settlementAttemptsMax) {
        tally.failed.push(operation._id);
        continue;
      }
      const detail = `Gave up after ${tries} attempts; the worker's log has the reason`;
      await giveUp(operation, detail, tally);
    }
  };

  const giveUp = async (operation: OperationDoc, detail: string, tally: Tally): Promise<void> => {
    await park(operation, { code: 'poison_operation', detail });
    attempts.delete(operation._id);
    moveLinesOn(deps, linesBehind([operation]));
    tally.parked.push(operation._id);
  };

  const park = async (operation: OperationDoc, failure: Failure): Promise<void> => {
    const { now } = await deps.databaseTime();
    const rows = await deps.operations.park(operation, {
      failure,
      worker: deps.workerId,
      at: laterOf(now, operation.createdAt),
    });
    if (rows === undefined) return;
    deps.metrics.settled.inc({ type: operation.type, status: 'needs_attention' });
    deps.hints.announce([{ operationId: operation._id }]);
    supervise(publishRows(deps, rows), onPublishFailed(deps, rows));
  };

  return Object.freeze({
    run: async (batch: readonly BoundDoc[], slot: number) => {
      const tally = newTally();
      await settlePart(batch, slot, tally);
      return tally;
    },
    park: async (batch: readonly BoundDoc[], why: (operation: OperationDoc) => string) => {
      const tally = newTally();
      for (const { operation } of batch) await giveUp(operation, why(operation), tally);
      return tally;
    },
  });
}

function newTally(): Tally {
  return { settled: [], parked: [], failed: [], waiting: [], isUnavailable: false };
}

function isLeft(tally: Tally, operationId: string): boolean {
  return !tally.settled.includes(operationId) && !tally.parked.includes(operationId);
}

interface Committed {
  readonly outcomes: readonly Outcome[];
  readonly waiting: readonly string[];
}

/** One transaction. Undefined: somebody else has settled part of it; read again. */
async function settleOnce(
  deps: RunnerDeps,
  batch: readonly BoundDoc[],
  stripe: number,
): Promise<Committed | undefined> {
  const startedMs = deps.clock.monotonicMs();
  const startMs = deps.clock.now();
  const token = newToken();
  await deps.failpoint('settle.before-transaction');
  const done = await deps.ledger
    .transact(
      async (transaction) => {
        const loaded = await transaction.load(batchReads(batch, stripe));
        // Read once the transaction has begun: lists by time wait for as long as it may take.
        const { now: at } = await deps.databaseTime();
        const decided = await decideOrDefer(deps, { batch, loaded, at, stripe }, transaction);
        const isOurs = await deps.operations.finish(transaction.session, decided.outcomes, {
          worker: deps.workerId,
          batch: token,
          at,
        });
        if (!isOurs) throw new StaleBatch();
        await deps.failpoint('settle.in-transaction');
        await transaction.write(decided.book.changes());
        const told = outboxRows(decided.events, { batch: token, at });
        const rows = withTraces(deps.tracer, told, batch);
        await deps.outbox.insert(transaction.session, rows);
        return { decided, rows, at };
      },
      () => deps.failpoint('settle.before-commit'),
    )
    .catch((error: unknown) => {
      if (error instanceof StaleBatch) return undefined;
      throw error;
    });
  if (done === undefined) {
    deps.metrics.conflicts.inc({ reason: 'stale' });
    return undefined;
  }
  await deps.failpoint('settle.after-commit');
  const { decided, rows, at } = done;
  traceBatch(deps.tracer, decided.outcomes, { startMs, token, worker: deps.workerId });
  observe(deps, decided.outcomes, { at, seconds: (deps.clock.monotonicMs() - startedMs) / 1_000 });
  deps.hints.announce(decided.outcomes.map(({ operation }) => ({ operationId: operation._id })));
  supervise(publishRows(deps, rows), onPublishFailed(deps, rows));
  await deps.failpoint('settle.after-publish');
  return { outcomes: decided.outcomes, waiting: decided.waiting };
}

/** Signals that the compare-and-set on the operations missed, to abort the transaction. */
class StaleBatch extends Error {
  override readonly name = 'StaleBatch';
}

function observe(
  { metrics, logger }: RunnerDeps,
  outcomes: readonly Outcome[],
  batch: { readonly at: Date; readonly seconds: number },
): void {
  metrics.batchSize.observe(outcomes.length);
  metrics.batchDuration.observe(batch.seconds);
  for (const { operation, status, error } of outcomes) {
    metrics.settled.inc({ type: operation.type, status });
    if (status === 'rejected' && error !== undefined) {
      metrics.rejected.inc({ type: operation.type, code: codeLabel(error.code) });
    }
    const latencyMs = batch.at.getTime() - operation.createdAt.getTime();
    metrics.settleLatency.observe(Math.max(0, latencyMs / 1_000 + batch.seconds));
  }
  logger.info({ count: outcomes.length, seconds: batch.seconds }, 'batch.settled');
}

/** The lines in which somebody may wait for one of these. */
function linesBehind(ended: readonly OperationDoc[]): readonly string[] {
  return ended.flatMap(({ orderingKey, creates = [] }) => [orderingKey, ...creates]);
}

/** Right after the commit, bounded; what fails here is published by the sweeper. */
async function publishRows(deps: RunnerDeps, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length > 0) await deps.publisher.publishEvents(rows);
}

function onPublishFailed(deps: RunnerDeps, rows: readonly OutboxRow[]): (error: unknown) => void {
  return (err) => {
    deps.metrics.enqueueFailed.inc({ queue: 'events' });
    deps.logger.warn({ err, rows: rows.length }, 'outbox.publish.failed');
  };
}
