import { buildConsole } from './dev/console.ts';

/** `npm run console:build`: the console into `console/dist`, whether or not it is there. */
const startedMs = performance.now();
await buildConsole();
console.log(`console/dist: built in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
