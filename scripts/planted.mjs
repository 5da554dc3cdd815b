// `npm run planted`: plants the small mistakes of tests/planted/bugs one at a time in a copy of the
// tree and sees whether the tests that are named beside them go red.
import { runScript } from './bootstrap.mjs';

await runScript('scripts/run-planted.ts');
