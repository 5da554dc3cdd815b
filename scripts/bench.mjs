// `npm run bench`: whatever is missing first, then servers of its own, then the measurements.
import { runScript } from './bootstrap.mjs';

await runScript('bench/run.ts');
