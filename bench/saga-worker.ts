import { parseEnv } from '../config/env.ts';
import { closeOnSignals } from '../runtime/lifecycle.ts';
import { openPlatform } from '../runtime/platform.ts';
import { openHints } from '../core/events/hints.ts';
import { openQueues } from '../queues/producer.ts';
import { startSagas } from '../workers/saga.ts';
import { SAGA_REGISTRY } from './lib/saga-operation.ts';

/** The saga pool as workers/main.ts has it, but that it knows the operation of the benchmark. */
const platform = await openPlatform(parseEnv(process.env), 'worker');
const { lifecycle, logger } = platform;
closeOnSignals({ lifecycle, logger, exit: (code) => process.exit(code) });
const queues = openQueues(platform);
lifecycle.onClose('queues', () => queues.close());
const hints = openHints(platform.redis);
lifecycle.onClose('hints', () => hints.close());
const groupMax = process.env['BENCH_GROUP_MAX'];
startSagas({
  platform,
  publisher: queues.publisher,
  hints,
  registry: SAGA_REGISTRY,
  ...(groupMax !== undefined && { groupMax: Number.parseInt(groupMax, 10) }),
});
console.log('ready');
