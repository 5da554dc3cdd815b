import { parseEnv } from '../config/env.ts';
import { closeOnSignals } from '../core/runtime/lifecycle.ts';
import { openPlatform } from '../core/runtime/platform.ts';
import { startWorker } from './start.ts';

const platform = await openPlatform(parseEnv(process.env), 'worker');
const { lifecycle, logger } = platform;
closeOnSignals({ lifecycle, logger, exit: (code) => process.exit(code) });
await startWorker(platform);
