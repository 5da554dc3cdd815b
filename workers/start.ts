import type { WorkerPool } from '../config/env.ts';
import { probeMongo } from '../core/infra/mongo-probe.ts';
import { createEnvGuard, createProviders } from '../core/notifications/providers/registry.ts';
import type { Channel, Providers } from '../core/notifications/ports.ts';
import { installationProbe, openInstallation, paymentNames } from '../runtime/installation.ts';
import { createOpsPages } from '../runtime/ops-pages.ts';
import { startOpsServer } from '../runtime/ops-server.ts';
import { openCells } from '../runtime/cells.ts';
import type { Platform } from '../runtime/platform.ts';
import { createReadiness } from '../runtime/readiness.ts';
import { type SettledHints, openHints } from '../core/events/hints.ts';
import { pubRedisProbe, queueRedisProbe } from '../queues/probes.ts';
import { openQueues } from '../queues/producer.ts';
import { startNotifications } from './notifications.ts';
import { startRecovery } from './recovery.ts';
import { startSagas } from './saga.ts';
import { startSettlement } from './settlement.ts';

/** The pools that the environment names, and the probes, on top of a platform. */
export async function startWorker(platform: Platform): Promise<void> {
  const { env, clock, logger, metrics, mongo, lifecycle } = platform;
  const connection = platform.redis.open('queue', { name: 'probe', whenAway: 'wait' });
  const hints = openHints(platform.redis);
  lifecycle.onClose('hints', () => hints.close());
  const pools = new Set(env.WORKER_POOLS);
  const providers = createProviders({ env, guard: createEnvGuard(env) });
  const channels = [...providers.email, ...providers.sms, ...providers.push];
  const installation = await openInstallation({
    platform,
    announces: true,
    own: [
      ...(pools.has('saga') ? paymentNames(env) : []),
      ...(pools.has('notification')
        ? channels.map(({ channel, name }) => `${channel}/${name}`)
        : []),
    ],
    serves: [
      ...(pools.has('saga') ? ['payment'] : []),
      ...(pools.has('notification') ? ['email', 'sms', 'push'] : []),
    ],
  });
  const readiness = createReadiness({
    clock,
    dependencies: [
      { name: 'mongodb', probe: () => probeMongo(mongo.db) },
      queueRedisProbe(connection),
      pubRedisProbe(hints.connection),
      installationProbe(installation),
    ],
  });
  const ops = await startOpsServer({
    pages: createOpsPages({ service: 'worker', readiness, metrics }),
    host: env.HOST,
    port: env.WORKER_PORT,
    logger,
  });
  lifecycle.onClose('ops server', () => ops.close());

  const hasAny = (channel: Channel): boolean => installation.hasAny(channel);
  await openCells({
    platform,
    fit: (cell) => {
      startPools(cell.platform, { pools, hints, providers, hasAny });
    },
  });
  lifecycle.onDrain('readiness', () => {
    readiness.drain();
  });
  logger.info({ pools: [...pools], host: env.HOST, port: ops.port }, 'worker.started');
}

interface PoolDeps {
  readonly pools: ReadonlySet<WorkerPool>;
  readonly hints: SettledHints;
  readonly providers: Providers;
  readonly hasAny: (channel: Channel) => boolean;
}

/** The pools of one cell. */
function startPools(platform: Platform, { pools, hints, providers, hasAny }: PoolDeps): void {
  const queues = openQueues(platform);
  platform.lifecycle.onClose('queues', () => queues.close());
  const { publisher } = queues;
  if (pools.has('settlement')) startSettlement({ platform, publisher, hints });
  if (pools.has('saga')) startSagas({ platform, publisher, hints });
  if (pools.has('notification')) {
    startNotifications({ platform, publisher, providers, hasAny });
  }
  if (pools.has('recovery')) startRecovery({ platform, publisher });
}
