import { parseEnv } from '../config/env.ts';
import { closeOnSignals } from '../core/runtime/lifecycle.ts';
import { openPlatform } from '../core/runtime/platform.ts';
import { openHints } from '../queues/hints.ts';
import { openQueues } from '../queues/producer.ts';
import { startEvents } from './events.ts';
import { startRecovery } from './recovery.ts';
import { startSettlement } from './settlement.ts';

const env = parseEnv(process.env);
const platform = await openPlatform(env, 'worker');
const { lifecycle, logger } = platform;
closeOnSignals({ lifecycle, logger, exit: (code) => process.exit(code) });

const queues = openQueues(platform);
lifecycle.onClose('queues', () => queues.close());
const { publisher } = queues;
const hints = openHints(platform);
lifecycle.onClose('hints', () => hints.close());

const pools = new Set(env.WORKER_POOLS);
if (pools.has('settlement')) startSettlement({ platform, publisher, hints });
if (pools.has('notification')) startEvents(platform);
if (pools.has('recovery')) startRecovery({ platform, publisher });
logger.info({ pools: [...pools] }, 'worker.started');
