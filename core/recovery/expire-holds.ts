import type { DatabaseTime } from '../infra/database-clock.ts';
import { present } from '../kernel/assert.ts';
import type { Registry, OperationDefinition } from '../operations/define.ts';
import type { Ingest, SubmissionOutcome } from '../ingest/submission.ts';
import { PLATFORM_KEY } from '../operations/operation.ts';
import { isSettled } from '../operations/status.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ExpiredHold, ExpiredHoldsStore } from '../ledger/expired-holds-store.ts';

interface ExpireDeps {
  readonly expired: ExpiredHoldsStore;
  readonly ingest: Ingest;
  readonly registry: Registry;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly metrics: Metrics;
}

const KEY_PREFIX = `${PLATFORM_KEY}hold-expiry/`;
/** The first further release comes this long after the expiry, each later one twice as late. */
const AGAIN_MS = 15_000;
const TRIES_MAX = 24;

/**
 * How many releases of a hold there may have been by now. One that came to nothing (parked, refused
 * while the wallet was not fit for it) uses up its key, not the expiry. Pure.
 */
function releasesDue(expiresAt: Date, now: Date): number {
  const overdueMs = Math.max(0, now.getTime() - expiresAt.getTime());
  return Math.min(TRIES_MAX, 1 + Math.floor(Math.log2(1 + overdueMs / AGAIN_MS)));
}

function keyOf(holdId: string, release: number): string {
  return `${KEY_PREFIX}${holdId}${release === 0 ? '' : `/${release}`}`;
}

/** Sweeps of pages; what is left comes with the next one. */
const PAGES_MAX = 100;

/**
 * R10: releases holds past their time, each by an ordinary `hold.release` under a key of its own,
 * and by another one later if that came to nothing. So it stands in its lane, is settled once
 * however many sweepers ask, and shows in the history.
 */
export async function expireHolds(deps: ExpireDeps): Promise<number> {
  const { now } = await deps.databaseTime();
  const definition = present(deps.registry['hold.release'], 'the type hold.release');
  let submitted = 0;
  let after: ExpiredHold | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const holds = await deps.expired.find(now, after);
    after = holds.at(-1);
    if (after === undefined) break;
    for (const [tenantId, own] of byTenant(holds)) {
      submitted += await release(deps, definition, { tenantId, holds: own, now });
    }
  }
  if (submitted > 0) deps.metrics.sweepRepaired.inc({ rule: 'R10' }, submitted);
  return submitted;
}

interface Expired {
  readonly tenantId: string;
  readonly holds: readonly ExpiredHold[];
  readonly now: Date;
}

/** Of each hold the next release that is due; how many are new. */
async function release(
  { ingest }: ExpireDeps,
  definition: OperationDefinition,
  { tenantId, holds, now }: Expired,
): Promise<number> {
  const context = { tenantId, correlationId: 'recovery.hold-expiry' };
  let submitted = 0;
  let left = holds;
  for (let number = 0; left.length > 0; number += 1) {
    const submissions = left.map(({ _id: holdId }) => ({
      definition,
      input: { holdId },
      idempotencyKey: keyOf(holdId, number),
    }));
    const outcomes = await ingest.submit(submissions, context);
    submitted += outcomes.filter(({ kind }) => kind === 'accepted').length;
    left = left.filter(
      ({ expiresAt }, index) =>
        cameToNothing(outcomes[index]) && number + 1 < releasesDue(expiresAt, now),
    );
  }
  return submitted;
}

function cameToNothing(outcome: SubmissionOutcome | undefined): boolean {
  // Another request under this key, of other code: it is not ours to rest on either.
  if (outcome?.kind === 'refused') return outcome.error.code === 'idempotency_conflict';
  if (outcome?.kind !== 'replayed') return false;
  const { status } = outcome.operation;
  return isSettled(status) && status !== 'succeeded';
}

function byTenant(holds: readonly ExpiredHold[]): ReadonlyMap<string, readonly ExpiredHold[]> {
  const found = new Map<string, ExpiredHold[]>();
  for (const hold of holds) {
    const list = found.get(hold.tenantId);
    if (list === undefined) found.set(hold.tenantId, [hold]);
    else list.push(hold);
  }
  return found;
}
