import type { DatabaseTime } from '../infra/database-clock.ts';
import { present } from '../kernel/assert.ts';
import type { Registry } from '../operations/registry.ts';
import type { Ingest } from '../operations/submission.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ExpiredHold, ExpiredHoldsStore } from './expired-holds-store.ts';

interface ExpireDeps {
  readonly expired: ExpiredHoldsStore;
  readonly ingest: Ingest;
  readonly registry: Registry;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly metrics: Metrics;
}

/** Clients' keys are printable ASCII, so none of them can take the place of one of these. */
const KEY_PREFIX = 'sluice→hold-expiry/';

/** Sweeps of pages; what is left comes with the next one. */
const PAGES_MAX = 100;

/**
 * R10: releases holds past their time, each by an ordinary `hold.release` under a key of its own.
 * So it stands in its lane, is settled once however many sweepers ask, and shows in the history.
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
    for (const [tenantId, ids] of byTenant(holds)) {
      const submissions = ids.map((holdId) => ({
        definition,
        input: { holdId },
        idempotencyKey: `${KEY_PREFIX}${holdId}`,
      }));
      const context = { tenantId, correlationId: 'recovery.hold-expiry' };
      const outcomes = await deps.ingest.submit(submissions, context);
      submitted += outcomes.filter(({ kind }) => kind === 'accepted').length;
    }
  }
  if (submitted > 0) deps.metrics.sweepRepaired.inc({ rule: 'R10' }, submitted);
  return submitted;
}

function byTenant(holds: readonly ExpiredHold[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { tenantId, _id } of holds) {
    const list = ids.get(tenantId);
    if (list === undefined) ids.set(tenantId, [_id]);
    else list.push(_id);
  }
  return ids;
}
