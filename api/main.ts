import { parseEnv } from '../config/env.ts';
import { closeOnSignals } from '../core/runtime/lifecycle.ts';
import { openPlatform } from '../core/runtime/platform.ts';
import { startApi } from './start.ts';

const platform = await openPlatform(parseEnv(process.env), 'api');
const { lifecycle, logger } = platform;
closeOnSignals({ lifecycle, logger, exit: (code) => process.exit(code) });
await startApi(platform);
