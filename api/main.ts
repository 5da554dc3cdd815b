import { parseEnv } from '../config/env.ts';
import { runProcess } from '../core/runtime/run-process.ts';
import { startApi } from './start.ts';

await runProcess({
  service: 'api',
  env: parseEnv(process.env),
  exit: (code) => process.exit(code),
  start: startApi,
});
