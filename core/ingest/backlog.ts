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
}

/** Counting may take at most one twentieth of the time, however long the backlog makes it. */
const PAUSE_PER_COUNT = 20;

/**
 * Counts in the background, about once a second, less often when counting is slow. Tenants are told
 * apart when one could have had its share: then those are counted that have asked since last time, or have
 * had it.
 */
export function startBacklog(deps: BacklogDeps): Backlog {
  const { countOpen, limitOf = () => undefined, clock, logger, metrics } = deps;
  const stopping = new AbortController();
  const max = LIMITS.acceptedBacklogMax;
  const asking = new Set<string>();
  let size = 0;
  let owns: ReadonlyMap<string, number> = new Map();

  /** What was let in since tenants with a limit were counted. */
  const since = new Map<string, number>();

  const isShut = (tenantId: string): boolean => {
    const own = owns.get(tenantId) ?? 0;
    const limit = limitOf(tenantId);
    const isAtLimit = limit !== undefined && own + (since.get(tenantId) ?? 0) >= limit;
    return isAtLimit || hasItsShare(own, { all: size, max });
  };
  const count = async (): Promise<void> => {
    size = await countOpen(max);
    metrics.backlog.set(size);
    const asked = new Set([...[...owns.keys()].filter(isShut), ...asking]);
    asking.clear();
    const found = new Map<string, number>();
    const isCrowded = hasItsShare(size, { all: size, max });
    for (const tenantId of asked) {
      const limit = isCrowded ? max : limitOf(tenantId);
      if (limit !== undefined) found.set(tenantId, await countOpen(limit, tenantId));
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
      await clock.sleep(
        Math.max(LIMITS.backlogSampleMs, PAUSE_PER_COUNT * tookMs),
        stopping.signal,
      );
    }
  };
  const running = loop();

  return Object.freeze({
    size: () => size,
    isFullFor: (tenantId: string, count = 0) => {
      if (asking.size < LIMITS.backlogTenantsMax) asking.add(tenantId);
      if (isShut(tenantId)) return true;
      if (limitOf(tenantId) !== undefined) since.set(tenantId, (since.get(tenantId) ?? 0) + count);
      return false;
    },
    close: async () => {
      stopping.abort();
      await running;
    },
  });
}
