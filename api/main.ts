import { parseEnvOrEnd } from '../config/env.ts';
import { runProcess } from '../runtime/run-process.ts';
import { startApi } from './start.ts';

await runProcess({
  service: 'api',
  env: parseEnvOrEnd(process.env, {
    say: (text) => process.stderr.write(text),
    exit: (code) => process.exit(code),
  }),
  exit: (code) => process.exit(code),
  start: startApi,
});
