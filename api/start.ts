import { probeMongo } from '../core/infra/mongo-probe.ts';
import { openInstallation, paymentNames } from '../runtime/installation.ts';
import { createOpsPages } from '../runtime/ops-pages.ts';
import type { Platform } from '../runtime/platform.ts';
import { type Readiness, createReadiness } from '../runtime/readiness.ts';
import type { Metrics } from '../core/telemetry/metrics.ts';
import { createStatusCounts } from '../core/operations/status-counts-store.ts';
import { createSignOutStore } from '../core/access/sign-out-store.ts';
import { type QueueDepth, createDepthReader } from '../queues/depth.ts';
import { type HintPublisher, openHints } from '../core/events/hints.ts';
import { pubRedisProbe, queueRedisProbe } from '../queues/probes.ts';
import { type Queues, openQueues } from '../queues/producer.ts';
import { openAccess } from './services/access-services.ts';
import { openBacklog, openServices } from './services/open-services.ts';
import { openRealtime } from './realtime/realtime.ts';
import type { Seats } from './realtime/seats.ts';
import { ENDPOINTS } from './routes/index.ts';
import { type ApiServer, startServer } from './http/server.ts';

/** For tests. */
export interface ApiTuning {
  readonly seats?: Seats;
}

/**
 * Everything of the API on top of a platform, released by its lifecycle: first the server, which
 * lets its requests finish, then what they rest on.
 */
export async function startApi(platform: Platform, tuning: ApiTuning = {}): Promise<ApiServer> {
  const { env, clock, logger, metrics, mongo, lifecycle } = platform;
  const { authenticator, limiter, planOf, services: access } = await openAccess(platform);

  const queues = openQueues(platform);
  lifecycle.onClose('queues', () => queues.close());
  const hints = openHints(platform.redis);
  lifecycle.onClose('hints', () => hints.close());
  const depths = createDepthReader({
    queues: queues.byName,
    connection: queues.connection,
    clock,
  });
  const readiness = readinessOf(platform, queues, hints);
  const statusCounts = createStatusCounts(mongo.db, clock);
  const ops = createOpsPages({
    service: 'api',
    readiness,
    metrics,
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
  const backlog = openBacklog(platform, (tenantId) => planOf(tenantId)?.backlogMax);
  const realtime = openRealtime({ platform, authenticator, ...tuning });
  const { streams } = realtime;
  const own = paymentNames(env);
  const installation = await openInstallation({ platform, own, announces: false, serves: [] });
  const server = await startServer({
    host: env.HOST,
    port: env.PORT,
    endpoints: ENDPOINTS,
    services: openServices({
      platform,
      publisher: queues.publisher,
      hints,
      streams,
      backlog,
      installation,
      access,
    }),
    authenticator,
    limiter,
    realtime,
    pages: { ops, depths, openOperations: () => backlog.size(), lanes: env.SETTLEMENT_LANES },
    admin: {
      queues: queues.byName,
      hasQueues: () => queues.connection.status === 'ready',
      password: env.ADMIN_PASSWORD,
      signOuts: createSignOutStore(mongo.db),
    },
    clock,
    logger,
    metrics,
  });
  lifecycle.onDrain('http server', () => server.close());
  lifecycle.onDrain('readiness', () => {
    readiness.drain();
  });
  logger.info({ host: env.HOST, port: server.port }, 'api.started');
  return server;
}

function readinessOf(platform: Platform, queues: Queues, hints: HintPublisher): Readiness {
  const { clock, mongo } = platform;
  return createReadiness({
    clock,
    dependencies: [
      { name: 'mongodb', probe: () => probeMongo(mongo.db) },
      queueRedisProbe(queues.connection),
      pubRedisProbe(hints.connection),
    ],
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
