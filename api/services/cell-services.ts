import { WAITING_KINDS } from '../../core/kernel/waiting-on.ts';
import { createDeliveryWaitingCounts } from '../../core/notifications/delivery/delivery-counts-store.ts';
import { createWaitingCounts } from '../../core/operations/waiting-counts-store.ts';
import { type HealthReader, openHealth } from '../../runtime/health.ts';
import { createStatusCounts } from '../../core/operations/status-counts-store.ts';
import type { HintPublisher } from '../../core/events/hints.ts';
import { type QueueDepth, createDepthReader } from '../../queues/depth.ts';
import type { BoardQueues } from '../../queues/board.ts';
import { type Queues, openQueues } from '../../queues/producer.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { Cell } from '../../runtime/cells.ts';
import type { Installation } from '../../runtime/installation.ts';
import type { Streams } from '../realtime/realtime.ts';
import type { Graphql } from './graphql.ts';
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
  readonly health: Pick<HealthReader, 'report'>;
  /** Fills gauges that are only worth reading when somebody asks. */
  beforeScrape(): Promise<void>;
}

interface CellDeps {
  readonly hints: HintPublisher;
  readonly streams: Streams;
  readonly waiters: Waiters;
  readonly graphql: Graphql;
  readonly installation: Pick<Installation, 'has'>;
  readonly settings: ApiServices['settings'];
  readonly pauses: ApiServices['pauses'];
  /** Of the process, whose event loop and pool all cells share. */
  readonly ownMetrics: Metrics;
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
  const waitingCounts = openWaitingCounts(platform);
  const { ownMetrics } = deps;
  const health = openHealth({ platform, queueRedis: connection, ownMetrics });
  const backlog = openBacklog(platform, deps.limitOf);
  return Object.freeze({
    brand,
    services: openServices({ platform, publisher, backlog, ...deps }),
    queues: byName,
    connection,
    depths,
    health,
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
        waitingCounts(),
        health.export(),
      ]);
    },
  });
}

/** Sets the totals of what is waited for; a kind that nothing waits for is 0. */
function openWaitingCounts({ mongo, clock, metrics }: Cell['platform']): () => Promise<void> {
  const operations = createWaitingCounts(mongo.db, clock);
  const deliveries = createDeliveryWaitingCounts(mongo.db, clock);
  return async () => {
    const found = { operation: await operations(), delivery: await deliveries() };
    for (const [of, counts] of Object.entries(found)) {
      for (const kind of Object.keys(WAITING_KINDS)) {
        metrics.waiting.set({ of, kind }, counts[kind as keyof typeof counts] ?? 0);
      }
    }
  };
}

function recordDepths({ queueDepth, queueOldest }: Metrics, depths: readonly QueueDepth[]): void {
  for (const { queue, waiting, prioritised, delayed, active, oldestWaitSeconds } of depths) {
    for (const [state, jobs] of Object.entries({ waiting, prioritised, delayed, active })) {
      queueDepth.set({ queue, state }, jobs);
    }
    queueOldest.set({ queue }, oldestWaitSeconds);
  }
}
