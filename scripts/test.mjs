// `npm test`: whatever is missing first, then servers of its own, then the tests.
import { runScript } from './bootstrap.mjs';

await runScript('scripts/run-tests.ts');
