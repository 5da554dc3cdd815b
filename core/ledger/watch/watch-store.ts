import type { Db } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import type { LeaseStore } from '../../infra/lease-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createMarkStore } from '../marks-store.ts';
import type { RebuildRules } from '../rebuild/rules.ts';
import { type RebuildCursor, type Unit, rebuildUnits } from '../rebuild/walk-store.ts';
import { type Drift, driftKey, driftsOf } from './drift.ts';

interface WatchDeps {
  readonly db: Db;
  readonly rules: RebuildRules;
  readonly leases: LeaseStore;
  readonly owner: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Told once of each drift, for as long as it is there. */
  readonly onDrift: (drift: Drift) => Promise<void>;
  /** It rests so many times as long as it has worked; by default LEDGER_LIMITS. */
  readonly restFactor?: number;
  /** No pass begins sooner than this after the last has begun. */
  readonly passMsMin?: number;
}

export interface LedgerWatch {
  /** Looks at one page, if it is time for one and no other process does. */
  turn(): Promise<void>;
  close(): Promise<void>;
}

/** What is known of the passes, wherever the watch goes on. */
interface Passes {
  readonly pass: number;
  readonly startedAtMs: number;
  /** Of the pass before, when that was whole: nothing is unchecked for longer. */
  readonly wholeSinceMs?: number;
  readonly cursor?: RebuildCursor;
  /** By key, with the pass that saw it last. */
  readonly known: readonly (readonly [string, number])[];
}

const LEASE = 'ledger-watch';
const MARK = 'ledger.watch';

/**
 * Goes through the ledger again and again, a page at a time, and compares what is stored with what the
 * log says. It works for a share of the time, and rests for the rest.
 */
export function createLedgerWatch(deps: WatchDeps): LedgerWatch {
  const { db, rules, clock, leases, owner, metrics } = deps;
  const { restFactor = LEDGER_LIMITS.watchRestFactor, passMsMin = LEDGER_LIMITS.watchPassMsMin } =
    deps;
  const marks = createMarkStore(db);
  let units: AsyncIterator<Unit> | undefined;
  let passes: Passes | undefined;
  let known = new Map<string, number>();
  let restUntilMs = 0;

  const begin = async (): Promise<Passes> => {
    const stored = passes ?? (await marks.get<Passes>(MARK));
    const now = clock.now();
    const begun = stored ?? { pass: 1, startedAtMs: now, known: [] };
    if (passes === undefined) known = new Map(begun.known);
    const from = begun.cursor === undefined ? {} : { from: begun.cursor };
    units = rebuildUnits({ db, rules }, from)[Symbol.asyncIterator]();
    passes = begun;
    return begun;
  };

  const keep = async (next: Passes): Promise<void> => {
    const last = [...known].slice(-LEDGER_LIMITS.watchKnownMax);
    passes = { ...next, known: last };
    await marks.set(MARK, passes);
  };

  /** What this pass has not seen again has been mended. */
  const end = async ({ pass, startedAtMs }: Passes): Promise<void> => {
    units = undefined;
    known = new Map([...known].filter(([, seen]) => seen === pass));
    metrics.ledgerDrift.set(known.size);
    metrics.ledgerPasses.inc();
    const now = clock.now();
    await keep({ pass: pass + 1, startedAtMs: now, wholeSinceMs: startedAtMs, known: [] });
    restUntilMs = clock.monotonicMs() + Math.max(0, passMsMin - (now - startedAtMs));
  };

  const look = async (unit: Unit, current: Passes): Promise<void> => {
    const { tally } = await unit.compute();
    metrics.ledgerWalletsChecked.inc(tally.checked.wallets);
    for (const drift of driftsOf(tally, unit.next.tenantId)) {
      const key = driftKey(drift);
      const isNew = !known.has(key);
      known.set(key, current.pass);
      if (isNew) await deps.onDrift(drift);
    }
    metrics.ledgerDrift.set(known.size);
    await keep({ ...current, cursor: { ...unit.next } });
  };

  const lose = (): void => {
    units = undefined;
    passes = undefined;
    known = new Map();
    metrics.ledgerDrift.set(0);
    metrics.ledgerUncheckedAge.set(0);
  };

  return Object.freeze({
    turn: async () => {
      const startedMs = clock.monotonicMs();
      if (startedMs < restUntilMs) return;
      if (!(await leases.hold(LEASE, owner, LEDGER_LIMITS.watchLeaseMs))) {
        lose();
        return;
      }
      try {
        const current = passes === undefined || units === undefined ? await begin() : passes;
        const sinceMs = current.wholeSinceMs ?? current.startedAtMs;
        metrics.ledgerUncheckedAge.set(Math.max(0, clock.now() - sinceMs) * 0.001);
        const next = await units?.next();
        if (next === undefined) return;
        if (next.done === true) await end(current);
        else {
          await look(next.value, current);
          const elapsedMs = clock.monotonicMs() - startedMs;
          restUntilMs = clock.monotonicMs() + elapsedMs * restFactor;
        }
      } catch (error) {
        lose(); // the next turn goes on where the last page ended
        throw error;
      }
    },
    close: () => leases.release(LEASE, owner),
  });
}
