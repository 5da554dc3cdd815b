import { processIo } from './io.ts';
import { runSluice } from './program.ts';

await runSluice(process.argv.slice(2), processIo());
