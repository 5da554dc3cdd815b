import type { ReadDatabaseTime } from '../infra/database-clock.ts';
import { present } from '../kernel/assert.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { type OperationId, newToken } from '../kernel/ids.ts';
import { supervise } from '../kernel/supervise.ts';
import type { LedgerStore, LedgerTransaction } from '../ledger/ledger-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type JournalBatch,
  decideJournalBatch,
  journalReads,
  outboxEvents,
} from './journal-batch.ts';
import type { JournalPlace, JournalStore, JournalWrite, StoredSaga } from './journal-store.ts';
import type { Commit, CommitOutcome, JournalChange } from './journal.ts';
import type { Lines } from '../operations/lines.ts';
import { moveLinesOn } from '../operations/move-lines-on.ts';
import { withTraces } from '../events/outbox-traces.ts';
import { outboxRows } from '../events/outbox-rows.ts';
import type { JobPublisher } from '../operations/ports.ts';
import type { OutboxRow } from '../events/outbox.ts';
import type { OutboxStore } from '../events/outbox-store.ts';
import { isSettled } from '../operations/status.ts';
import { lapsedReads, withLapsed } from '../operations/want-of-money.ts';

export interface JournalDeps {
  readonly workerId: string;
  readonly store: JournalStore;
  readonly ledger: LedgerStore;
  readonly outbox: OutboxStore;
  readonly lines: Lines;
  readonly publisher: JobPublisher;
  readonly databaseTime: ReadDatabaseTime;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
  readonly leaseMs: number;
  /** The stripe of the system wallets for a slot of this process. */
  readonly stripeOf: (slot: number) => number;
  /** 1: every write on its own, for the comparison in the benchmark. */
  readonly groupMax?: number;
}

/** The outcome of one commit, or why it has none: one failure must not be its neighbours'. */
export type Settled = CommitOutcome | { readonly failure: unknown };

export interface Setting {
  readonly deps: JournalDeps;
  readonly attempted: WeakMap<Commit, JournalChange>;
  /** The answer was lost once: until it is known, nothing but the same is written. */
  readonly unknown: WeakSet<Commit>;
  readonly slot: number;
}

interface TransactOptions {
  readonly stripe: number;
  readonly attempted: WeakMap<Commit, JournalChange>;
}

/** Where each of some commits stands, when a transaction has seen it. */
type Standings = ReadonlyMap<Commit, Standing | JournalChange>;

/**
 * All that the journal and the ledger write, in one transaction.
 *
 * The snapshot is the compare-and-set. Places are read in it first, and compared here; what has moved
 * leaves before anything is decided, so that one stale saga costs its neighbours nothing. The others
 * are written by id alone. Whoever claims, cancels, signals or renews one of them after the snapshot
 * was taken has written its document, so that our update of it is a write conflict and all of it
 * aborts; whoever comes after our update meets that, and sees what we made of it. So no write is ever
 * made on anything but what was compared, as if each had its `epoch`, `rev` and guards in its filter.
 */
export async function transact(
  deps: JournalDeps,
  commits: readonly Commit[],
  { stripe, attempted }: TransactOptions,
): Promise<Standings> {
  const batch = newToken();
  const standings = new Map<Commit, Standing | JournalChange>();
  let writes: readonly JournalWrite[] = [];
  const rows = await deps.ledger.transact(
    async (transaction) => {
      const { session } = transaction;
      const places = await deps.store.places(idsOf(commits), session);
      const going = commits.filter((commit) => {
        const standing = standingOf(commit, places);
        if (standing !== undefined) standings.set(commit, standing);
        return standing === undefined;
      });
      const [first] = going;
      if (first === undefined) return [];
      const decided = await decideLoaded(deps, transaction, { commits: going, stripe });
      ({ writes } = decided);
      for (const [index, commit] of going.entries()) {
        standings.set(commit, present(writes[index], 'a write').change);
      }
      await deps.store.writeRead(writes, session);
      await deps.failpoint('saga.in-transaction');
      await transaction.write(decided.book.changes());
      const at = present(writes[0], 'a write').change.at;
      const events = outboxRows(outboxEvents(writes), { batch, at });
      const told = withTraces(
        deps.tracer,
        events,
        writes.map(({ ref }) => ref),
      );
      await deps.outbox.insert(session, told);
      return told;
    },
    async () => {
      for (const [commit, standing] of standings) {
        if (isChange(standing)) attempted.set(commit, standing);
      }
      await deps.failpoint('saga.before-commit');
    },
  );
  await deps.failpoint('saga.after-commit');
  moveLinesOn(deps, linesLeft(writes));
  supervise(publish(deps, rows), (err) => {
    deps.metrics.enqueueFailed.inc({ queue: 'events' });
    deps.logger.warn({ err, rows: rows.length }, 'outbox.publish.failed');
  });
  await deps.failpoint('saga.after-publish');
  return standings;
}

function isChange(standing: Standing | JournalChange): standing is JournalChange {
  return typeof standing === 'object' && 'lease' in standing;
}

/** What has become of a commit that a transaction has seen. */
export async function settledOf(
  { deps, attempted }: Pick<Setting, 'deps' | 'attempted'>,
  commit: Commit,
  standings: Standings,
): Promise<Settled> {
  const standing = present(standings.get(commit), 'where a commit stands');
  if (isChange(standing)) return { kind: 'written', change: standing };
  if (standing !== 'written') return standing;
  const change = 'change' in commit ? commit.change : attempted.get(commit);
  if (change === undefined) return { kind: 'fenced' };
  const stored = await deps.store.stored(commit.ref.operation._id);
  return { kind: 'written', change: asStored(change, stored) };
}

/** With what lapsed holds give back to those that want it. */
async function decideLoaded(
  { databaseTime }: JournalDeps,
  transaction: LedgerTransaction,
  { commits, stripe }: { readonly commits: readonly Commit[]; readonly stripe: number },
): Promise<JournalBatch> {
  let loaded = await transaction.load(journalReads(commits, stripe));
  const { now: notBefore } = await databaseTime();
  const looked = new Set<string>();
  for (;;) {
    const decided = decideJournalBatch(commits, loaded, { stripe, notBefore });
    const lapsed = lapsedReads(decided.wants, loaded, looked);
    if (lapsed === undefined) return decided;
    loaded = withLapsed(loaded, await transaction.loadLapsed({ ...lapsed, stripe }));
  }
}

/** The lines that some writes have given up. */
export function linesLeft(
  writes: readonly Pick<JournalWrite, 'ref' | 'change'>[],
): readonly string[] {
  const left = writes.filter(({ change }) => change.leavesLine === true);
  return left.map(({ ref }) => ref.operation.orderingKey);
}

async function publish(deps: JournalDeps, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length > 0) await deps.publisher.publishEvents(rows);
}

export function idsOf(commits: readonly Commit[]): readonly OperationId[] {
  return commits.map(({ ref }) => ref.operation._id);
}

/** `written`: it stands there, by an attempt whose answer was lost. */
type Standing = Exclude<CommitOutcome, { readonly kind: 'written' }> | 'written';

/** What has become of a commit by where its journal stands; undefined: not written, may be. */
export function standingOf(
  { ref, guard }: Commit,
  places: ReadonlyMap<string, JournalPlace>,
): Standing | undefined {
  const place = places.get(ref.operation._id);
  if (place?.epoch !== ref.epoch) return { kind: 'fenced' };
  // Nobody else writes under our epoch, and we write one after another.
  if (place.rev === ref.rev + 1) return 'written';
  if (place.rev !== ref.rev) return { kind: 'fenced' };
  const { requests } = place;
  const isOvertaken =
    (guard.cancel === true && requests.isCancelRequested) ||
    (guard.signal !== undefined && requests.signals[guard.signal] !== undefined);
  return isOvertaken ? { kind: 'overtaken', requests } : undefined;
}

/** What was decided again may differ from what was stored, and only that counts. */
function asStored(change: JournalChange, { state, status, hasLease, isInLine }: StoredSaga) {
  const { leavesLine: _leaves, ...rest } = change;
  const without = isSettled(status) ? 'end' : 'wait';
  return {
    ...rest,
    ...{ state, status },
    lease: hasLease ? 'keep' : change.lease === 'keep' ? without : change.lease,
    ...(!isInLine && { leavesLine: true as const }),
  } satisfies JournalChange;
}
