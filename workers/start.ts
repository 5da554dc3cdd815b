import { probeMongo } from '../core/infra/mongo-probe.ts';
import { createEnvGuard, createProviders } from '../core/notifications/providers/registry.ts';
import type { Channel } from '../core/notifications/ports.ts';
import { installationProbe, openInstallation, paymentNames } from '../runtime/installation.ts';
import { createOpsPages } from '../runtime/ops-pages.ts';
import { startOpsServer } from '../runtime/ops-server.ts';
import type { Platform } from '../runtime/platform.ts';
import { createReadiness } from '../runtime/readiness.ts';
import { openHints } from '../core/events/hints.ts';
import { pubRedisProbe, queueRedisProbe } from '../queues/probes.ts';
import { openQueues } from '../queues/producer.ts';
import { startNotifications } from './notifications.ts';
import { startRecovery } from './recovery.ts';
import { startSagas } from './saga.ts';
import { startSettlement } from './settlement.ts';

/** The pools that the environment names, and the probes, on top of a platform. */
export async function startWorker(platform: Platform): Promise<void> {
  const { env, clock, logger, metrics, mongo, lifecycle } = platform;
  const queues = openQueues(platform);
  lifecycle.onClose('queues', () => queues.close());
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
      queueRedisProbe(queues.connection),
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

  const { publisher } = queues;
  if (pools.has('settlement')) startSettlement({ platform, publisher, hints });
  if (pools.has('saga')) startSagas({ platform, publisher, hints });
  if (pools.has('notification')) {
    const hasAny = (channel: Channel): boolean => installation.hasAny(channel);
    startNotifications({ platform, publisher, providers, hasAny });
  }
  if (pools.has('recovery')) startRecovery({ platform, publisher });
  lifecycle.onDrain('readiness', () => {
    readiness.drain();
  });
  logger.info({ pools: [...pools], host: env.HOST, port: ops.port }, 'worker.started');
}
