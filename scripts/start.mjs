// `npm start`: whatever is missing first, then the platform.
import { runScript } from './bootstrap.mjs';

await runScript('scripts/up.ts');
