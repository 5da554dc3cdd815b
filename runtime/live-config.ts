import { SERVICE_CONFIG_LIMITS } from '../config/service-config-limits.ts';
import type { Env } from '../config/env.ts';
import type { Mongo } from '../core/infra/mongo.ts';
import type { RedisRoles } from '../core/infra/redis-roles.ts';
import { type Clock, startTicker, withTimeout } from '../core/kernel/clock.ts';
import { supervise } from '../core/kernel/supervise.ts';
import { onChangeNotice } from '../core/service-config/change-notice.ts';
import { createConfigStore } from '../core/service-config/config-store.ts';
import { type LiveSettings, createLiveSettings } from '../core/service-config/live-settings.ts';
import { createLivePauses } from '../core/service-config/live-pauses.ts';
import type { Pauses } from '../core/service-config/pause.ts';
import { createPauseStore } from '../core/service-config/pause-store.ts';
import type { Logger } from '../core/telemetry/logger.ts';
import type { Metrics } from '../core/telemetry/metrics.ts';
import { environmentSettings } from './environment-settings.ts';
import type { Lifecycle } from './lifecycle.ts';

interface LiveConfigDeps {
  readonly env: Env;
  readonly mongo: Mongo;
  readonly redis: RedisRoles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
}

export interface LiveConfig {
  readonly settings: LiveSettings;
  readonly pauses: Pauses;
}

/**
 * What can be changed while the process runs: read now, every two seconds, and at once when somebody
 * says so by Redis. A reading that fails leaves everything as it is; one that fails at the start
 * leaves what is built in and what the environment says.
 */
export async function openLiveConfig(deps: LiveConfigDeps): Promise<LiveConfig> {
  const { env, mongo, redis, clock, logger, metrics, lifecycle } = deps;
  const environment = environmentSettings(env);
  const store = createConfigStore(mongo.db, environment);
  const live = createLiveSettings({
    readAll: () => store.readAll(),
    lastGood: (scopeKey) => store.lastGood(scopeKey),
    ...{ environment, logger, metrics },
  });
  const onError = (err: unknown): void => {
    logger.warn({ err }, 'settings.read.failed');
  };
  const pauseStore = createPauseStore(mongo.db);
  const pauses = createLivePauses({ read: () => pauseStore.active(), logger, metrics });
  const refresh = createSoon(async () => {
    const readings = await Promise.allSettled([live.refresh(), pauses.refresh()]);
    for (const one of readings) if (one.status === 'rejected') throw one.reason;
  });
  const late = () => new Error('MongoDB did not answer in time');
  await withTimeout(refresh(), SERVICE_CONFIG_LIMITS.firstReadMs, late).catch(onError);
  const ticker = startTicker({
    intervalMs: SERVICE_CONFIG_LIMITS.pollMs,
    run: refresh,
    ...{ onError, clock },
  });
  const notices = onChangeNotice(redis, () => {
    supervise(refresh(), onError);
  });
  lifecycle.onClose('settings', async () => {
    await Promise.all([ticker.stop(), notices.close()]);
  });
  return { settings: live, pauses };
}

/**
 * One reading at a time: whoever asks while one is under way gets the next, which is begun after and
 * so sees what was told just now; all who ask meanwhile share it.
 */
function createSoon(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const running = run().finally(() => {
      if (current === running) current = undefined;
    });
    current = running;
    return running;
  };
  return () => {
    if (current === undefined) return start();
    next ??= current
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
