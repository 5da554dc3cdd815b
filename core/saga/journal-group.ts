import { LIMITS } from '../../config/limits.ts';
import type { ReadDatabaseTime } from '../infra/database-clock.ts';
import { type DatabaseFault, faultOf, isPassing } from '../infra/database-errors.ts';
import { present } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { createGroup } from '../kernel/group.ts';
import { type OperationId, newToken } from '../kernel/ids.ts';
import { supervise } from '../kernel/supervise.ts';
import type { LedgerStore, LedgerTransaction } from '../ledger/settlement-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type JournalBatch,
  decideJournalBatch,
  journalReads,
  outboxEvents,
  withLine,
} from './journal-batch.ts';
import type { Lines } from './lines.ts';
import type { JournalPlace, JournalStore, JournalWrite, Unclaimed } from './journal-store.ts';
import type {
  Claim,
  ClaimOutcome,
  Commit,
  CommitOutcome,
  JournalChange,
  SagaJournal,
} from './journal.ts';
import type { JobPublisher, OutboxRow } from './ports.ts';
import { moveLinesOn } from './move-lines-on.ts';
import { isSettled } from './status.ts';
import { outboxRows } from './outbox-rows.ts';
import { type OutboxStore } from './settle-store.ts';
import { lapsedReads, withLapsed } from './want-of-money.ts';

interface JournalDeps {
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
  readonly leaseMs: number;
  /** The stripe of the system wallets for a slot of this process. */
  readonly stripeOf: (slot: number) => number;
  /** 1: every write on its own, for the comparison in the benchmark. */
  readonly groupMax?: number;
}

/** The journal in MongoDB. What concurrent sagas write shares round trips and transactions. */
export function createSagaJournal(deps: JournalDeps): SagaJournal {
  const sizeMax = deps.groupMax ?? LIMITS.sagaGroupMax;
  /** What was being committed when the answer was lost: the truth if it turns out to be there. */
  const attempted = new WeakMap<Commit, JournalChange>();
  const unknown = new WeakSet<Commit>();

  const claims = createGroup<OperationId, Claim | Unclaimed>({
    sizeMax,
    inFlightMax: LIMITS.sagaClaimSlots,
    run: (ids) => claimPatiently(deps, [...new Set(ids)]).then((byId) => ids.map(byId)),
  });
  const plain = createGroup<PlainCommit, Settled>({
    sizeMax,
    inFlightMax: LIMITS.sagaWriteSlots,
    run: async (commits) => {
      await deps.failpoint('saga.before-journal');
      const settled = await writeTogether(deps, commits);
      await deps.failpoint('saga.after-journal');
      moveLinesOn(deps, linesLeft(commits));
      return settled;
    },
  });
  const transactions = createGroup<Commit, Settled>({
    sizeMax,
    inFlightMax: LIMITS.sagaTransactionSlots,
    run: (commits, slot) => settleTogether({ deps, attempted, unknown, slot }, commits),
  });

  return Object.freeze({
    claim: async (operationId: string): Promise<ClaimOutcome> => {
      const claimed = await claims.add(operationId as OperationId);
      if ('epoch' in claimed) return { kind: 'claimed', claim: claimed };
      const { busyForMs } = claimed;
      return busyForMs === undefined ? { kind: 'idle' } : { kind: 'busy', retryAfterMs: busyForMs };
    },
    commit: async (commit: Commit) => {
      const isPlain = 'change' in commit && commit.change.events.length === 0;
      const settled = await (isPlain
        ? plain.add({ ...commit, change: withLine(commit.ref, commit.change) })
        : transactions.add(commit));
      if ('failure' in settled) throw settled.failure;
      return settled;
    },
    renew: (leases) => deps.store.renew(leases, deps.leaseMs),
  } satisfies SagaJournal);
}

const CLAIM_TRIES_MAX = 3;

/** A repeat under the same owner finds what a lost answer has already claimed. */
async function claimPatiently(
  deps: JournalDeps,
  ids: readonly OperationId[],
): Promise<(id: OperationId) => Claim | Unclaimed> {
  const owner = `${deps.workerId}/${newToken()}`;
  for (let tries = 1; ; tries += 1) {
    try {
      const found = await deps.store.claim({ ids, owner, leaseMs: deps.leaseMs });
      const claimed = found.filter((one) => 'epoch' in one);
      const early = await deps.lines.giveBackEarly(claimed, owner);
      const byId = new Map(ids.map((id, index) => [id, early.has(id) ? {} : found[index]]));
      const taken = new Set<OperationId>();
      // Of two deliveries in one group only the first has the claim; the other comes again.
      return (id) => {
        const claimed = present(byId.get(id), 'the claim of an id');
        if (!('epoch' in claimed)) return claimed;
        if (taken.has(id)) return { busyForMs: deps.leaseMs };
        taken.add(id);
        return claimed;
      };
    } catch (error) {
      if (!isPassing(error) || tries >= CLAIM_TRIES_MAX) throw error;
    }
  }
}

/** The outcome of one commit, or why it has none: one failure must not be its neighbours'. */
type Settled = CommitOutcome | { readonly failure: unknown };
type PlainCommit = Commit & { readonly change: JournalChange };

interface Setting {
  readonly deps: JournalDeps;
  readonly attempted: WeakMap<Commit, JournalChange>;
  /** The answer was lost once: until it is known, nothing but the same is written. */
  readonly unknown: WeakSet<Commit>;
  readonly slot: number;
}

/** One bulk write for all; one that cannot be written at all must not take the others with it. */
async function writeTogether(
  deps: JournalDeps,
  commits: readonly PlainCommit[],
): Promise<readonly Settled[]> {
  try {
    const writes = commits.map(({ ref, guard, change }) => ({ ref, guard, change }));
    if (await deps.store.write(writes)) {
      return commits.map(({ change }) => ({ kind: 'written', change }));
    }
    const places = await placesOf(deps, commits);
    return commits.map((commit) => outcomeOf(commit, places, commit.change) ?? { kind: 'fenced' });
  } catch (failure) {
    if (faultOf(failure) !== 'other' || commits.length === 1) {
      return commits.map(() => ({ failure }));
    }
  }
  // What the failed write has stored of the others is found by its place.
  const alone: Settled[] = [];
  for (const commit of commits) alone.push(...(await writeTogether(deps, [commit])));
  return alone;
}

/** One transaction for all; what spoils it is found by trying each alone. */
async function settleTogether(
  setting: Setting,
  commits: readonly Commit[],
): Promise<readonly Settled[]> {
  const settled = new Map<Commit, Settled>();
  try {
    await transactPatiently(setting, commits, settled);
  } catch (error) {
    const isAway = AWAY.has(faultOf(error));
    if (isAway || commits.length === 1) {
      return commits.map((commit) => settled.get(commit) ?? { failure: error });
    }
  }
  const all: Settled[] = [];
  for (const commit of commits)
    all.push(settled.get(commit) ?? (await settleAlone(setting, commit)));
  return all;
}

const AWAY: ReadonlySet<DatabaseFault> = new Set(['unavailable', 'commit-unknown']);

async function settleAlone(setting: Setting, commit: Commit): Promise<Settled> {
  try {
    for (let tries = 0; tries < LIMITS.sagaConflictTriesMax; tries += 1) {
      const places = await placesOf(setting.deps, [commit]);
      const known = outcomeOf(commit, places, setting.attempted.get(commit));
      if (known !== undefined) return known;
      const settled = new Map<Commit, Settled>();
      await transactPatiently(setting, [commit], settled);
      const found = settled.get(commit);
      if (found !== undefined) return found;
    }
    // Nobody's fault either: the engine comes again for as long as it holds the lease.
    throw new AppError('ledger_unavailable', 'The journal moves under every attempt to write it');
  } catch (failure) {
    return { failure };
  }
}

/**
 * Tries again while neighbours' transactions are in the way; what has become of each is put into
 * `settled`, and nothing of those whose compare-and-set missed. A conflict is nobody's attempt.
 */
async function transactPatiently(
  { deps, attempted, unknown, slot }: Setting,
  commits: readonly Commit[],
  settled: Map<Commit, Settled>,
): Promise<void> {
  let left = commits;
  for (let conflicts = 1; left.length > 0; conflicts += 1) {
    try {
      const changes = await transact(deps, left, { stripe: deps.stripeOf(slot), attempted });
      for (const [index, change] of (changes ?? []).entries()) {
        const commit = left[index];
        if (commit !== undefined) settled.set(commit, { kind: 'written', change });
      }
      return;
    } catch (error) {
      const fault = faultOf(error);
      if (AWAY.has(fault)) for (const commit of left) unknown.add(commit);
      const isConflict = CONFLICTS.has(fault);
      if (!isConflict || conflicts >= LIMITS.sagaConflictTriesMax) throw error;
      deps.metrics.conflicts.inc({ reason: 'saga' });
      // What is known from outside is not held up any longer: its saga stores it by itself.
      const isFree = (commit: Commit): boolean => holdsOutcome(commit) && !unknown.has(commit);
      for (const commit of left.filter(isFree)) settled.set(commit, { kind: 'aborted' });
      left = left.filter((commit) => !settled.has(commit));
      const { random } = deps;
      await deps.clock.sleep(fullJitterMs(conflicts, { baseMs: 2, capMs: 200, random }));
    }
  }
}

function holdsOutcome(commit: Commit): boolean {
  return 'fuse' in commit && commit.holdsOutcome;
}

/** Two transactions that open the same stripe meet at its unique key. */
const CONFLICTS: ReadonlySet<DatabaseFault> = new Set(['transient', 'duplicate-key']);

/** Aborts the transaction: somebody has claimed, or asked to cancel, one of the operations. */
class JournalMissed extends Error {
  override readonly name = 'JournalMissed';
}

interface TransactOptions {
  readonly stripe: number;
  readonly attempted: WeakMap<Commit, JournalChange>;
}

async function transact(
  deps: JournalDeps,
  commits: readonly Commit[],
  { stripe, attempted }: TransactOptions,
): Promise<readonly JournalChange[] | undefined> {
  const batch = newToken();
  let decided: JournalBatch | undefined;
  const work = deps.ledger.transact(
    async (transaction) => {
      decided = await decideLoaded(deps, transaction, { commits, stripe });
      const isOurs = await deps.store.write(decided.writes, transaction.session);
      if (!isOurs) throw new JournalMissed();
      await deps.failpoint('saga.in-transaction');
      await transaction.write(decided.book.changes());
      const at = present(decided.writes[0], 'a write').change.at;
      const rows = outboxRows(outboxEvents(decided.writes), { batch, at });
      await deps.outbox.insert(transaction.session, rows);
      return rows;
    },
    async () => {
      for (const [index, commit] of commits.entries()) {
        const write = decided?.writes[index];
        if (write !== undefined) attempted.set(commit, write.change);
      }
      await deps.failpoint('saga.before-commit');
    },
  );
  const rows = await work.catch((error: unknown) => {
    if (error instanceof JournalMissed) return undefined;
    throw error;
  });
  if (rows === undefined) return undefined;
  await deps.failpoint('saga.after-commit');
  moveLinesOn(deps, linesLeft(decided?.writes ?? []));
  supervise(publish(deps, rows), (err) => {
    deps.metrics.enqueueFailed.inc({ queue: 'events' });
    deps.logger.warn({ err, rows: rows.length }, 'outbox.publish.failed');
  });
  await deps.failpoint('saga.after-publish');
  return present(decided, 'the decisions of a transaction').writes.map(({ change }) => change);
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
function linesLeft(writes: readonly Pick<JournalWrite, 'ref' | 'change'>[]): readonly string[] {
  const left = writes.filter(({ change }) => change.leavesLine === true);
  return left.map(({ ref }) => ref.operation.orderingKey);
}

async function publish(deps: JournalDeps, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length > 0) await deps.publisher.publishEvents(rows);
}

function placesOf(
  deps: JournalDeps,
  commits: readonly Commit[],
): Promise<ReadonlyMap<string, JournalPlace>> {
  return deps.store.places(commits.map(({ ref }) => ref.operation._id));
}

/** What has become of a commit by where its journal stands; undefined: not written, may be. */
function outcomeOf(
  { ref, guard }: Commit,
  places: ReadonlyMap<string, JournalPlace>,
  change: JournalChange | undefined,
): CommitOutcome | undefined {
  const place = places.get(ref.operation._id);
  if (place?.epoch !== ref.epoch) return { kind: 'fenced' };
  if (place.rev === ref.rev + 1 && change !== undefined) {
    return { kind: 'written', change: asStored(change, place) };
  }
  if (place.rev !== ref.rev) return { kind: 'fenced' };
  const { requests } = place;
  const isOvertaken =
    (guard.cancel === true && requests.isCancelRequested) ||
    (guard.signal !== undefined && requests.signals[guard.signal] !== undefined);
  return isOvertaken ? { kind: 'overtaken', requests } : undefined;
}

/** What was decided again may differ from what was stored, and only that counts. */
function asStored(change: JournalChange, { state, status, hasLease, isInLine }: JournalPlace) {
  const { leavesLine: _leaves, ...rest } = change;
  const without = isSettled(status) ? 'end' : 'wait';
  return {
    ...rest,
    ...{ state, status },
    lease: hasLease ? 'keep' : change.lease === 'keep' ? without : change.lease,
    ...(!isInLine && { leavesLine: true as const }),
  } satisfies JournalChange;
}
