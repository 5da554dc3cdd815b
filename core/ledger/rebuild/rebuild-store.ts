import type { Db } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { collection } from '../../infra/collections.ts';
import { createLeaseStore } from '../../infra/lease-store.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Failpoint } from '../../kernel/failpoint.ts';
import { newToken } from '../../kernel/ids.ts';
import { type MarkStore, createMarkStore } from '../marks-store.ts';
import type { RebuiltKind } from './differences.ts';
import {
  type RebuildReport,
  type RebuildTally,
  addPage,
  createTally,
  differingOf,
} from './report.ts';
import type { RebuildRules } from './rules.ts';
import type { Page } from './users-page-store.ts';
import {
  type RebuildCursor,
  type Span,
  type Unit,
  type WalkDeps,
  rebuildUnitOf,
  rebuildUnits,
} from './walk-store.ts';
import { writeRebuilt } from './writes-store.ts';

export interface RebuildOptions {
  readonly rules: RebuildRules;
  /** By default nothing is written. */
  readonly apply?: boolean;
  readonly tenantId?: string;
  readonly walletId?: string;
  /** From the beginning, whatever an interrupted run has done. */
  readonly restart?: boolean;
  /** Differences kept with their ids; all are counted. */
  readonly keepMax?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly failpoint?: Failpoint;
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Told where an interrupted run is taken up again. */
  readonly onResume?: (from: RebuildCursor) => void;
}

export interface RebuildProgress {
  readonly users: number;
  readonly usersTotal: number;
  readonly tally: RebuildTally;
}

interface Run {
  readonly db: Db;
  readonly options: RebuildOptions;
  readonly marks: MarkStore;
  readonly markName: string;
  readonly tally: RebuildTally;
  users: number;
}

const KEEP_MAX = 20;
const LEASE = 'ledger-rebuild';
const KINDS = ['wallets', 'transfers', 'holds'] as const satisfies readonly RebuiltKind[];

/**
 * Computes wallets, holds and transfers from the log and the operations, says where what is stored
 * differs, and writes it anew if it is told to. Settlement may go on meanwhile: every page is what the
 * ledger was at one instant, and every write is a compare-and-set on what was read in it.
 *
 * @throws AppError `rebuild_under_way` while another process writes; `wallet_not_found` for a wallet
 * of which nothing is known; the driver's error when the database cannot be read.
 */
export async function rebuildLedger(db: Db, options: RebuildOptions): Promise<RebuildReport> {
  const clock = options.clock ?? systemClock;
  const startedMs = clock.monotonicMs();
  const tally = createTally();
  const markName = `ledger.rebuild/${options.tenantId ?? '*'}`;
  const run: Run = { db, options, tally, marks: createMarkStore(db), markName, users: 0 };
  const apply = options.apply === true;
  await (apply ? underLease(run) : walk(run, () => Promise.resolve()));
  const left = apply ? differingOf(tally) - writtenOf(tally) : differingOf(tally);
  const isWhole = left === 0 && tally.damaged === 0;
  return { ...tally, applied: apply, isWhole, elapsedMs: clock.monotonicMs() - startedMs };
}

function writtenOf({ written }: RebuildTally): number {
  return written.wallets + written.transfers + written.holds;
}

/** One at a time writes, so that two that were begun by mistake do not report each other's work. */
async function underLease(run: Run): Promise<void> {
  const leases = createLeaseStore(run.db);
  const owner = newToken();
  const renew = async (): Promise<void> => {
    if (await leases.hold(LEASE, owner, LEDGER_LIMITS.rebuildLeaseMs)) return;
    throw new AppError('rebuild_under_way', 'Another process rebuilds the ledger');
  };
  await renew();
  try {
    await walk(run, renew);
  } finally {
    await leases.release(LEASE, owner);
  }
}

async function walk(run: Run, beforeUnit: () => Promise<void>): Promise<void> {
  const { db, options, marks, markName } = run;
  const { signal, apply = false } = options;
  if (options.walletId !== undefined) {
    await runWallet(run, options.walletId);
    return;
  }
  const usersTotal = await collection(db, 'users').estimatedDocumentCount();
  for await (const unit of rebuildUnits(walkDeps(run), await spanOf(run))) {
    signal?.throwIfAborted();
    await beforeUnit();
    await runUnit(run, unit);
    run.users += unit.users;
    const { users, tally } = run;
    options.onProgress?.({ users, usersTotal, tally });
    if (apply) await marks.set(markName, { ...unit.next });
  }
  if (apply) await marks.remove(markName);
}

function walkDeps({ db, options: { rules, signal } }: Run): WalkDeps {
  return { db, rules, ...(signal !== undefined && { signal }) };
}

async function spanOf({ options, marks, markName }: Run): Promise<Span> {
  const { tenantId, apply, restart, onResume } = options;
  const isResumed = apply === true && restart !== true;
  const from = isResumed ? await marks.get<RebuildCursor>(markName) : undefined;
  if (from !== undefined) onResume?.(from);
  return { ...(tenantId !== undefined && { tenantId }), ...(from !== undefined && { from }) };
}

async function runWallet(run: Run, walletId: string): Promise<void> {
  const unit = await rebuildUnitOf(walkDeps(run), walletId);
  if (unit === undefined) {
    throw new AppError('wallet_not_found', `Neither the wallet ${walletId} nor its entries exist`);
  }
  await runUnit(run, unit);
}

/** Computes a unit, and writes it, anew as long as settlement moves something of it. */
async function runUnit(run: Run, unit: Unit, isOne = false): Promise<void> {
  const { db, options, tally } = run;
  const keepMax = options.keepMax ?? KEEP_MAX;
  for (let tries = 1; ; tries += 1) {
    const page = await unit.compute();
    const moved = options.apply === true ? await writePage(db, page, options.failpoint) : 0;
    if (moved === 0 || tries >= LEDGER_LIMITS.rebuildTriesMax) {
      addPage(tally, page.tally, keepMax);
      return;
    }
    // What was written is no difference any more when it is computed again.
    for (const kind of KINDS) {
      tally.differing[kind] += page.tally.written[kind];
      tally.written[kind] += page.tally.written[kind];
    }
    // One alone is read and written sooner than it moves again.
    if (!isOne) await runEach(run, page);
  }
}

async function runEach(run: Run, { changes }: Page): Promise<void> {
  for (const { kind, rebuilt } of changes) {
    if (kind !== 'wallets') continue;
    const unit = await rebuildUnitOf(walkDeps(run), rebuilt._id);
    if (unit === undefined) continue;
    const own: Run = { ...run, tally: createTally() };
    await runUnit(own, unit, true);
    // It is counted as looked at with its page, and once more if it is still not what it should be.
    for (const each of KINDS) {
      run.tally.differing[each] += own.tally.written[each];
      run.tally.written[each] += own.tally.written[each];
    }
  }
}

async function writePage(
  db: Db,
  { changes, tally }: Page,
  failpoint: Failpoint | undefined,
): Promise<number> {
  let moved = 0;
  for (const kind of KINDS) {
    const own = changes.filter((change) => change.kind === kind);
    await failpoint?.('rebuild.before-write');
    const result = await writeRebuilt(db, kind, own);
    tally.written[kind] += result.written;
    moved += result.moved;
  }
  return moved;
}
