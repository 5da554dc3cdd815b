import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Pause, type Pauses, pauseKindOf, pauseOn } from './pause.ts';

export interface PausesReader extends Pauses {
  refresh(): Promise<void>;
}

interface LiveDeps {
  readonly read: () => Promise<readonly Pause[]>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The pauses in force, as of the last reading. One that fails leaves them as they are. */
export function createLivePauses({ read, logger, metrics }: LiveDeps): PausesReader {
  let active: readonly Pause[] = [];
  let ids: ReadonlySet<string> = new Set();
  let seen = '[]';
  return {
    get active() {
      return active;
    },
    on: (asked) => (active.length === 0 ? undefined : pauseOn(active, asked)),
    isActive: (id) => ids.has(id),
    refresh: async () => {
      const found = await read();
      const text = JSON.stringify(found.map(({ _id, resuming }) => [_id, resuming]));
      if (text === seen) return;
      seen = text;
      active = found;
      ids = new Set(found.map(({ _id }) => _id));
      metrics.pausesActive.reset();
      for (const { subject } of found) metrics.pausesActive.inc({ kind: pauseKindOf(subject) });
      logger.info({ pauses: found.map(({ key }) => key) }, 'pauses.changed');
    },
  };
}
