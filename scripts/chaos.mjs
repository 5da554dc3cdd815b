// `npm run chaos`: whatever is missing first, then a cluster of its own, broken under load.
import { runScript } from './bootstrap.mjs';

await runScript('tests/chaos/main.ts');
