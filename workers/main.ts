import { parseEnvOrEnd } from '../config/env.ts';
import { runProcess } from '../runtime/run-process.ts';
import { startWorker } from './start.ts';

await runProcess({
  service: 'worker',
  env: parseEnvOrEnd(process.env, {
    say: (text) => process.stderr.write(text),
    exit: (code) => process.exit(code),
  }),
  exit: (code) => process.exit(code),
  start: startWorker,
});
