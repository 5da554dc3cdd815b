import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isExecutableFile, lastLines } from './commands.ts';
import { waitUntil } from './ports.ts';
import { runStep, type Log, type NoteStep } from './report.ts';

/** The same series as the fallback's, so that one source's data folder can be opened with the other. */
export const MONGODB_VERSION = '7.0.15';

const SCRIPT = fileURLToPath(new URL('./fetch-mongod.mjs', import.meta.url));
/** Without a network some machines refuse at once and others never answer. */
const FIRST_BYTE_TIMEOUT_MS = 10_000;
const STALL_TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 900_000;
const CHECK_EVERY_MS = 200;
const BYTES_PER_MB = 1_000_000;

function downloadFolder(cache: string): string {
  return join(cache, 'mongodb');
}

/** What an earlier start downloaded. The checksum file is written last: without it a file is a torso. */
export async function findDownloadedMongod(cache: string): Promise<string | undefined> {
  const folder = downloadFolder(cache);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith('mongod-') && name.endsWith(`-${MONGODB_VERSION}`))
    .map((name) => join(folder, name))
    .find((path) => isExecutableFile(path) && existsSync(`${path}.md5`));
}

/**
 * Fetches MongoDB's own build for this system by mongodb-memory-server-core. Gives up after ten seconds
 * without a first byte.
 */
export async function downloadMongod(
  cache: string,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<string> {
  const folder = downloadFolder(cache);
  await mkdir(folder, { recursive: true });
  return runStep(log, `MongoDB ${MONGODB_VERSION}: downloading to ${folder}`, async (note) => {
    try {
      return await runDownload(folder, env, note);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`MongoDB's download: ${reason}`, { cause: error });
    }
  });
}

async function runDownload(
  folder: string,
  env: NodeJS.ProcessEnv,
  note: NoteStep,
): Promise<string> {
  const child = spawn(process.execPath, [SCRIPT], {
    env: {
      ...env,
      MONGOMS_VERSION: env['MONGOMS_VERSION'] ?? MONGODB_VERSION,
      MONGOMS_DOWNLOAD_DIR: folder,
      MONGOMS_MAX_RETRIES: '1',
      // The downloader checks certificates only when npm says so.
      npm_config_strict_ssl: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  const end = new AbortController();
  const stalled = watchForStall(folder, end.signal, note).then((reason) => {
    child.kill('SIGKILL');
    return reason;
  });
  try {
    const exitCode = await code;
    if (exitCode === 0) return lastLines(output.stdout, 1);
  } finally {
    end.abort();
  }
  throw new Error((await stalled) ?? lastLines(output.stderr, 1));
}

/** Resolves with the reason as soon as the download hangs, and with nothing when it is over. */
async function watchForStall(
  folder: string,
  signal: AbortSignal,
  note: NoteStep,
): Promise<string | undefined> {
  const startedAt = performance.now();
  const bytesBefore = await countBytes(folder);
  let bytes = bytesBefore;
  let grewAt = startedAt;
  let reason: string | undefined;
  const hasStalled = async (): Promise<boolean> => {
    const bytesNow = await countBytes(folder);
    const now = performance.now();
    if (bytesNow !== bytes) grewAt = now;
    bytes = bytesNow;
    const fetched = Math.max(0, bytes - bytesBefore);
    if (fetched > 0) note(`${String(Math.round(fetched / BYTES_PER_MB))} MB`);
    const limitMs = fetched > 0 ? STALL_TIMEOUT_MS : FIRST_BYTE_TIMEOUT_MS;
    if (now - grewAt > limitMs) reason = `nothing came for ${String(limitMs / 1000)} s`;
    return reason !== undefined;
  };
  await waitUntil(hasStalled, { timeoutMs: DOWNLOAD_TIMEOUT_MS, signal, everyMs: CHECK_EVERY_MS });
  return signal.aborted ? undefined : (reason ?? 'took too long');
}

async function countBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names
      .filter((name) => !name.endsWith('.lock'))
      .map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
