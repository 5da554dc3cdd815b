import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { hasItsShare } from './shares.ts';

/** How many accepted operations wait for their first attempt, as last counted. */
export interface Backlog {
  size(): number;
  /** Whether nothing more is taken of a tenant, be it alone with that or like all others. */
  isFullFor(tenantId: string, count?: number): boolean;
  close(): Promise<void>;
}

interface BacklogDeps {
  /** Counts up to `max`; without a tenant those of all. */
  readonly countOpen: (max: number, tenantId?: string) => Promise<number>;
  /** What the tenant's plan says; undefined: nothing. */
  readonly limitOf?: (tenantId: string) => number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** By default as built in; asked anew each time. */
  readonly limits?: BacklogLimits;
}

export interface BacklogLimits {
  max(): number;
  /** Of one tenant; 0: as many as it leaves free. */
  ownMax(tenantId: string): number;
  sampleMs(): number;
}

const BUILT_IN: BacklogLimits = {
  max: () => LIMITS.acceptedBacklogMax,
  ownMax: () => 0,
  sampleMs: () => LIMITS.backlogSampleMs,
};

/** Counting may take at most one twentieth of the time, however long the backlog makes it. */
const PAUSE_PER_COUNT = 20;

/**
 * Counts in the background, about once a second, less often when counting is slow. Tenants are told
 * apart when one could have had its share: then those are counted that have asked since last time, or have
 * had it.
 */
export function startBacklog(deps: BacklogDeps): Backlog {
  const { countOpen, clock, logger, metrics, limits = BUILT_IN } = deps;
  const stopping = new AbortController();
  const asking = new Set<string>();
  let size = 0;
  let owns: ReadonlyMap<string, number> = new Map();

  /** What was let in since tenants with a limit of their own were counted. */
  const since = new Map<string, number>();

  const isShut = (tenantId: string): boolean => {
    const ownMax = limits.ownMax(tenantId);
    const share = { all: size, max: limits.max(), ...(ownMax > 0 && { ownMax }) };
    return hasItsShare((owns.get(tenantId) ?? 0) + (since.get(tenantId) ?? 0), share);
  };
  const count = async (): Promise<void> => {
    const max = limits.max();
    size = await countOpen(max);
    metrics.backlog.set(size);
    const asked = new Set([...[...owns.keys()].filter(isShut), ...asking]);
    asking.clear();
    const found = new Map<string, number>();
    const isTight = hasItsShare(size, { all: size, max });
    for (const tenantId of asked) {
      if (!isTight && limits.ownMax(tenantId) === 0) continue;
      found.set(tenantId, await countOpen(max, tenantId));
    }
    owns = found;
    since.clear();
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonicMs();
      try {
        await count();
      } catch (err) {
        logger.debug({ err }, 'backlog.count.failed');
      }
      const tookMs = clock.monotonicMs() - startedMs;
      await clock.sleep(Math.max(limits.sampleMs(), PAUSE_PER_COUNT * tookMs), stopping.signal);
    }
  };
  const running = loop();

  return Object.freeze({
    size: () => size,
    isFullFor: (tenantId: string, count = 0) => {
      if (asking.size < LIMITS.backlogTenantsMax) asking.add(tenantId);
      if (isShut(tenantId)) return true;
      if (limits.ownMax(tenantId) > 0) since.set(tenantId, (since.get(tenantId) ?? 0) + count);
      return false;
    },
    close: async () => {
      stopping.abort();
      await running;
    },
  });
}
