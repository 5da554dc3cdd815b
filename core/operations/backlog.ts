import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** How many accepted operations wait for settlement, as last counted. */
export interface Backlog {
  size(): number;
  close(): Promise<void>;
}

interface BacklogDeps {
  /** Counts up to `max`. */
  readonly countOpen: (max: number) => Promise<number>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Counting may take at most one twentieth of the time, however long the backlog makes it. */
const PAUSE_PER_COUNT = 20;

/** Counts in the background, about once a second, less often when counting is slow. */
export function startBacklog({ countOpen, clock, logger, metrics }: BacklogDeps): Backlog {
  const stopping = new AbortController();
  let size = 0;

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonicMs();
      try {
        size = await countOpen(LIMITS.acceptedBacklogMax);
        metrics.backlog.set(size);
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
    close: async () => {
      stopping.abort();
      await running;
    },
  });
}
