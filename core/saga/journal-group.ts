import { LIMITS } from '../../config/limits.ts';
import { type DatabaseFault, faultOf, isPassing } from '../infra/database-errors.ts';
import { present } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import { createGroup } from '../kernel/group.ts';
import { type OperationId, newToken } from '../kernel/ids.ts';
import { withLine } from './journal-batch.ts';
import type { Unclaimed } from './journal-store.ts';
import {
  type JournalDeps,
  type Setting,
  type Settled,
  idsOf,
  linesLeft,
  settledOf,
  standingOf,
  transact,
} from './journal-transact.ts';
import type { ClaimOutcome, Commit, JournalChange, SagaJournal } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import { moveLinesOn } from '../operations/move-lines-on.ts';

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
    run: async (commits, slot) => {
      await deps.failpoint('saga.before-journal');
      const isFew = commits.length <= LIMITS.sagaWritesAlone;
      const settled = isFew
        ? await writeEach(deps, commits)
        : await settleTogether({ deps, attempted, unknown, slot }, commits);
      await deps.failpoint('saga.after-journal');
      if (isFew) moveLinesOn(deps, linesLeft(commits));
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

type PlainCommit = Commit & { readonly change: JournalChange };

/** For a few a transaction is dearer than a compare-and-set each, and takes longer. */
async function writeEach(
  deps: JournalDeps,
  commits: readonly PlainCommit[],
): Promise<readonly Settled[]> {
  try {
    const writes = commits.map(({ ref, guard, change }) => ({ ref, guard, change }));
    if (await deps.store.write(writes)) {
      return commits.map(({ change }) => ({ kind: 'written', change }));
    }
    const places = await deps.store.places(idsOf(commits));
    return commits.map((commit): Settled => {
      const standing = standingOf(commit, places);
      if (standing === 'written') return { kind: 'written', change: commit.change };
      return standing ?? { kind: 'fenced' };
    });
  } catch (failure) {
    if (faultOf(failure) !== 'other' || commits.length === 1) {
      return commits.map(() => ({ failure }));
    }
  }
  // What the failed write has stored of the others is found by its place.
  const alone: Settled[] = [];
  for (const commit of commits) alone.push(...(await writeEach(deps, [commit])));
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
  for (const commit of commits) {
    if (settled.has(commit)) continue;
    const [one] = await settleTogether(setting, [commit]);
    settled.set(commit, present(one, 'what has become of a commit'));
  }
  return commits.map((commit) => present(settled.get(commit), 'what has become of a commit'));
}

const AWAY: ReadonlySet<DatabaseFault> = new Set(['unavailable', 'commit-unknown']);

/**
 * Tries again while neighbours' transactions are in the way, which is nobody's attempt. What has become
 * of each is put into `settled`.
 */
async function transactPatiently(
  { deps, attempted, unknown, slot }: Setting,
  commits: readonly Commit[],
  settled: Map<Commit, Settled>,
): Promise<void> {
  let left = commits;
  for (let conflicts = 1; left.length > 0; conflicts += 1) {
    try {
      const options = { stripe: deps.stripeOf(slot), attempted };
      const known = await transact(deps, left, options);
      for (const commit of left) {
        settled.set(commit, await settledOf({ deps, attempted }, commit, known));
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
