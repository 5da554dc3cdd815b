import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Log, formatSeconds } from '../../scripts/dev/servers/report.ts';
import { ROOT } from './processes.ts';

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const BUILD_MS_MAX = 300_000;

/**
 * Compiles what is measured, both sides of it, as the image does: what `tsx` leaves in the code for
 * stack traces costs the API an eighth of its CPU.
 */
export async function buildMeasured(log: Log): Promise<void> {
  const startedMs = performance.now();
  const args = [TSC, '-p', join(ROOT, 'bench', 'tsconfig.json')];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: BUILD_MS_MAX });
  log(`• compiled as for production (${formatSeconds(performance.now() - startedMs)})`);
}
