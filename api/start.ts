import { probeMongo } from '../core/infra/mongo-probe.ts';
import { type Cells, openCells } from '../runtime/cells.ts';
import { openInstallation, paymentNames } from '../runtime/installation.ts';
import { mergedReport } from '../core/health/report.ts';
import { createOpsPages } from '../runtime/ops-pages.ts';
import type { Platform } from '../runtime/platform.ts';
import { type Readiness, createReadiness } from '../runtime/readiness.ts';
import { createGraphql } from './graphql/run.ts';
import { createTenantStore } from '../core/tenants/tenant-store.ts';
import { createSignOutStore } from '../core/access/sign-out-store.ts';
import { type HintPublisher, openHints } from '../core/events/hints.ts';
import { sumDepths } from '../queues/depth-sum.ts';
import { createQueueSource } from '../queues/queue-source.ts';
import { pubRedisProbe, queueRedisProbe } from '../queues/probes.ts';
import { openChangeNotice } from '../core/service-config/change-notice.ts';
import { openPauseAdmin } from './services/pause-admin.ts';
import { openSettingsAdmin } from './services/settings-admin.ts';
import type { GuessLimits } from './http/guesses.ts';
import { openAccess } from './services/access-services.ts';
import { type CellServices, openCellServices } from './services/cell-services.ts';
import { openWaiters } from './services/open-services.ts';
import { openRealtime } from './realtime/realtime.ts';
import type { Seats } from './realtime/seats.ts';
import { ENDPOINTS } from './routes/index.ts';
import { createDocs } from './docs/docs.ts';
import type { PublicServices } from './services/public-services.ts';
import type { ServicesByTenant } from './services/services.ts';
import { type ApiServer, startServer } from './http/server.ts';

/** For tests. */
export interface ApiTuning {
  readonly seats?: Seats;
  readonly guesses?: GuessLimits;
}

/**
 * Everything of the API on top of a platform, released by its lifecycle: first the server, which
 * lets its requests finish, then what they rest on.
 */
export async function startApi(platform: Platform, tuning: ApiTuning = {}): Promise<ApiServer> {
  const { env, clock, logger, metrics, mongo, lifecycle } = platform;
  const { authenticator, limiter, ...inside } = await openAccess(platform, tuning.guesses);

  const hints = openHints(platform.redis);
  lifecycle.onClose('hints', () => hints.close());
  const realtime = openRealtime({ platform, authenticator, ...tuning });
  const { streams } = realtime;
  const own = paymentNames(env);
  const notice = openChangeNotice(platform.redis);
  lifecycle.onClose('settings notice', () => notice.close());
  const settings = openSettingsAdmin(platform, notice);
  const installation = await openInstallation({ platform, own, announces: false, serves: [] });
  const waiters = openWaiters(platform);
  const graphql = createGraphql(env, logger);
  const board = createQueueSource();
  const cells = await openCells({
    platform,
    fit: (cell) => {
      const shared = { hints, streams, waiters, graphql, installation, ...inside };
      const pauses = openPauseAdmin(cell.platform, notice);
      const made = openCellServices(cell, { ...shared, settings, pauses, ownMetrics: metrics });
      board.add(made.queues, cell.brand);
      return made;
    },
  });
  const connection =
    cells.opened()[0]?.connection ??
    platform.redis.open('queue', { name: 'probe', whenAway: 'wait' });
  const readiness = readinessOf(platform, connection, hints);
  const ops = createOpsPages({
    service: 'api',
    readiness,
    metrics,
    beforeScrape: async () => {
      await Promise.all(cells.opened().map((cell) => cell.beforeScrape()));
    },
  });
  const server = await startServer({
    host: env.HOST,
    port: env.PORT,
    endpoints: ENDPOINTS,
    ...(env.CORS_ORIGINS !== undefined && { cors: env.CORS_ORIGINS }),
    services: servicesOf(cells),
    waiters,
    authenticator,
    limiter,
    realtime,
    pages: { ops, lanes: env.SETTLEMENT_LANES, docs: createDocs(ENDPOINTS), ...sumsOf(cells) },
    admin: {
      queues: board,
      hasQueues: () => connection.status === 'ready',
      password: env.ADMIN_PASSWORD,
      signOuts: createSignOutStore(mongo.db),
      tenants: createTenantStore(mongo.db),
    },
    clock,
    logger,
    metrics,
    tracer: platform.tracer,
  });
  lifecycle.onDrain('http server', () => server.close());
  lifecycle.onDrain('readiness', () => {
    readiness.drain();
  });
  logger.info({ host: env.HOST, port: server.port }, 'api.started');
  return server;
}

function readinessOf(
  platform: Platform,
  queue: Parameters<typeof queueRedisProbe>[0],
  hints: HintPublisher,
): Readiness {
  const { clock, mongo } = platform;
  return createReadiness({
    clock,
    dependencies: [
      { name: 'mongodb', probe: () => probeMongo(mongo.db) },
      queueRedisProbe(queue),
      pubRedisProbe(hints.connection),
    ],
  });
}

/** What all cells come to together. */
function sumsOf(
  cells: Cells<CellServices>,
): Pick<PublicServices, 'depths' | 'openOperations' | 'health'> {
  return {
    depths: async () => sumDepths(await Promise.all(cells.opened().map((cell) => cell.depths()))),
    openOperations: () =>
      cells.opened().reduce((sum, { openOperations }) => sum + openOperations(), 0),
    health: async () =>
      mergedReport(await Promise.all(cells.opened().map(({ health }) => health.report()))),
  };
}

/** Without a promise where the cell is open, which it nearly always is. */
function servicesOf(cells: Cells<CellServices>): ServicesByTenant {
  return Object.freeze({
    of: (tenantId: string) => {
      const cell = cells.of(tenantId);
      return cell instanceof Promise ? cell.then(({ services }) => services) : cell.services;
    },
  });
}
