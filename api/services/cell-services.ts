import { createStatusCounts } from '../../core/operations/status-counts-store.ts';
import type { HintPublisher } from '../../core/events/hints.ts';
import { type QueueDepth, createDepthReader } from '../../queues/depth.ts';
import type { BoardQueues } from '../../queues/board.ts';
import { type Queues, openQueues } from '../../queues/producer.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { Cell } from '../../runtime/cells.ts';
import type { Installation } from '../../runtime/installation.ts';
import type { Streams } from '../realtime/realtime.ts';
import type { Waiters } from '../writes/outcome-waiters.ts';
import type { AccessServices } from './access-services.ts';
import { openBacklog, openServices } from './open-services.ts';
import type { ApiServices } from './services.ts';

/** What the API has in one cell. */
export interface CellServices {
  /** The tenant that has the cell to itself. */
  readonly brand: string | undefined;
  readonly services: ApiServices;
  readonly queues: BoardQueues;
  /** The queues' own connection. */
  readonly connection: Queues['connection'];
  readonly depths: () => Promise<readonly QueueDepth[]>;
  /** Accepted operations that wait for settlement, as last counted. */
  readonly openOperations: () => number;
  /** Fills gauges that are only worth reading when somebody asks. */
  beforeScrape(): Promise<void>;
}

interface CellDeps {
  readonly hints: HintPublisher;
  readonly streams: Streams;
  readonly waiters: Waiters;
  readonly installation: Pick<Installation, 'has'>;
  readonly access: AccessServices;
  /** Of what a tenant may have accepted and not begun. */
  readonly limitOf: (tenantId: string) => number | undefined;
}

/** Opened once a cell; the platform's lifecycle releases it. */
export function openCellServices({ brand, platform }: Cell, deps: CellDeps): CellServices {
  const { clock, metrics, mongo, lifecycle } = platform;
  const queues = openQueues(platform);
  lifecycle.onClose('queues', () => queues.close());
  const { byName, connection, publisher } = queues;
  const depths = createDepthReader({ queues: byName, connection, clock });
  const statusCounts = createStatusCounts(mongo.db, clock);
  const backlog = openBacklog(platform, deps.limitOf);
  return Object.freeze({
    brand,
    services: openServices({ platform, publisher, backlog, ...deps }),
    queues: byName,
    connection,
    depths,
    openOperations: () => backlog.size(),
    beforeScrape: async () => {
      // Side by side: the database's numbers must not wait for Redis, nor the other way round.
      await Promise.allSettled([
        depths().then((found) => {
          recordDepths(metrics, found);
        }),
        statusCounts().then((counts) => {
          for (const [status, count] of Object.entries(counts)) {
            metrics.operationsByStatus.set({ status }, count);
          }
        }),
      ]);
    },
  });
}

function recordDepths({ queueDepth, queueOldest }: Metrics, depths: readonly QueueDepth[]): void {
  for (const { queue, waiting, prioritised, delayed, active, oldestWaitSeconds } of depths) {
    for (const [state, jobs] of Object.entries({ waiting, prioritised, delayed, active })) {
      queueDepth.set({ queue, state }, jobs);
    }
    queueOldest.set({ queue }, oldestWaitSeconds);
  }
}
