// `node scripts/tool.mjs NAME …`: a command of an installed package, after whatever is missing.
import { runTool } from './bootstrap.mjs';

const [name = '', ...args] = process.argv.slice(2);
await runTool(name, args);
