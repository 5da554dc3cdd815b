import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SOURCES_FILE, hashOfSources } from '../../console/sources.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DIST = join(ROOT, 'console/dist');
const BUILD_MS_MAX = 120_000;

const run = promisify(execFile);

function isFresh(): boolean {
  const built = join(DIST, SOURCES_FILE);
  return existsSync(built) && readFileSync(built, 'utf8') === hashOfSources();
}

/** Builds the console unless what is there was built from these sources. True: it has built it. */
export async function ensureConsole(): Promise<boolean> {
  if (isFresh()) return false;
  await buildConsole();
  return true;
}

/**
 * Builds beside what is there and puts it in place at the end, so that nobody reads half of it, and
 * two who build at the same time do not meet. Asks nothing of the network.
 */
export async function buildConsole(): Promise<void> {
  const own = join(ROOT, '.cache', `console-${String(process.pid)}`);
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'build', join(ROOT, 'console'), '--outDir', own, '--emptyOutDir'];
  try {
    await run(process.execPath, args, { cwd: ROOT, timeout: BUILD_MS_MAX });
    await putInPlace(own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** A folder takes the place of an empty one only; whoever was faster has built the same. */
async function putInPlace(own: string): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  await rename(own, DIST).catch((error: unknown) => {
    if (!isFresh()) throw error;
  });
}
