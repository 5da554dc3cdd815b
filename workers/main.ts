import { parseEnv } from '../config/env.ts';
import { runProcess } from '../core/runtime/run-process.ts';
import { startWorker } from './start.ts';

await runProcess({
  service: 'worker',
  env: parseEnv(process.env),
  exit: (code) => process.exit(code),
  start: startWorker,
});
