// `npm run test:faults`: what `npm test` does, for the faults alone, the long ones included, and with
// larger numbers. It ends with how long repairs took, as a table and as JSON.
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { runScript } from './bootstrap.mjs';

const REPORT = resolve('.data', 'faults', 'repairs.ndjson');
const USUAL = ['tests/faults', 'tests/sagas', 'tests/unit/core/saga'];

mkdirSync(dirname(REPORT), { recursive: true });
rmSync(REPORT, { force: true });
process.env.FAULTS = 'long';
process.env.FAULTS_REPORT = REPORT;
if (process.argv.length <= 2) process.argv.push(...USUAL);
await runScript('scripts/run-tests.ts');
