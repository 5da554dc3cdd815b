import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { waitUntil } from './ports.ts';
import { identifyProcess, isAlive, signalGroup, type ProcessIdentity } from './process-identity.ts';
import type { Log } from './report.ts';

const identitySchema = z.object({ pid: z.int().positive(), startedAt: z.string() });
/** Which process serves a data folder, and which process started it and will stop it. */
const pidFileSchema = z.object({ server: identitySchema, owner: identitySchema });

const STOP_DEADLINE_MS = 10_000;
const KILL_DEADLINE_MS = 5_000;

export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/** Undefined when it is missing or not ours: a half-written file names no process to rely on. */
export function readJsonFile<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function writeJsonFile(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${String(process.pid)}.tmp`;
  writeFileSync(draft, `${JSON.stringify(value)}\n`);
  renameSync(draft, path);
}

export function ownIdentity(): ProcessIdentity {
  return identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' };
}

export function writePidFile(path: string, serverPid: number): void {
  const server = identifyProcess(serverPid);
  if (server !== undefined) writeJsonFile(path, { server, owner: ownIdentity() });
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}

/**
 * Makes sure that no server runs on the data any more. One whose owner died is stopped; one whose
 * owner lives is somebody's running platform and is left alone.
 */
export async function claimDataFolder(path: string, name: string, log: Log): Promise<void> {
  const found = readJsonFile(path, pidFileSchema);
  if (found === undefined || !isAlive(found.server)) {
    removePidFile(path);
    return;
  }
  if (isAlive(found.owner)) {
    throw new DataFolderInUseError(
      `${name} runs already on the data in ${dirname(path)}, started by process ` +
        `${String(found.owner.pid)}: stop that one first (kill ${String(found.owner.pid)}).`,
    );
  }
  log(`• ${name}: stopping process ${String(found.server.pid)}, left over from an earlier crash`);
  await stopLeftOver(found.server, name);
  removePidFile(path);
}

async function stopLeftOver(server: ProcessIdentity, name: string): Promise<void> {
  const hasEnded = (): boolean => !isAlive(server);
  signalGroup(server.pid, 'SIGTERM');
  signalGroup(server.pid, 'SIGCONT');
  if (await waitUntil(hasEnded, { timeoutMs: STOP_DEADLINE_MS })) return;
  signalGroup(server.pid, 'SIGKILL');
  if (await waitUntil(hasEnded, { timeoutMs: KILL_DEADLINE_MS })) return;
  throw new Error(`${name}: the left-over process ${String(server.pid)} cannot be stopped`);
}
