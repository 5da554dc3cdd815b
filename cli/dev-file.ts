import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';

/** What `npm start` leaves for the other commands: where it runs, and the secrets that it made. */
const devSchema = z.object({
  url: z.string(),
  apiKey: z.string(),
  adminPassword: z.string(),
  mongoUrl: z.string(),
  mongoDb: z.string(),
  redisUrl: z.string(),
  /** Where what was notified can be looked at. */
  inboxUrl: z.string().optional(),
  /** The payment provider that the workers were told of. */
  sandboxUrl: z.string().optional(),
  /** Where its workers answer for their health. */
  workerUrls: z.array(z.string()).optional(),
  /** What else its processes were told of: the providers of payments and messages. */
  stackEnv: z.record(z.string(), z.string()).optional(),
  /** The `npm start` that it is about, with the time of its start: pids are used again. */
  owner: z.object({ pid: z.int().positive(), startedAt: z.string() }).optional(),
  /** Of the API and the workers; empty while it does not run. */
  pids: z.record(z.string(), z.int().positive()),
});

export type DevFile = z.infer<typeof devSchema>;

/** What a process that joins the stack of `npm start` needs, so that it lacks nothing of theirs. */
export function stackEnvOf(dev: DevFile): Readonly<Record<string, string>> {
  return {
    ...dev.stackEnv,
    ...(dev.sandboxUrl !== undefined && { SANDBOX_URL: dev.sandboxUrl }),
    MONGO_URL: dev.mongoUrl,
    MONGO_DB: dev.mongoDb,
    REDIS_URL: dev.redisUrl,
  };
}

/** Secrets in it, so for the owner only. */
const MODE = 0o600;

/** The checkout's root; from a build, `dist/cli` lies one folder deeper. */
export function projectRoot(): string {
  const root = resolve(import.meta.dirname, '..');
  return basename(root) === 'dist' ? dirname(root) : root;
}

function devFilePath(root: string = projectRoot()): string {
  return join(root, '.data', 'dev.json');
}

/** Undefined when there is none, or none that can be understood. */
export function readDevFile(path: string = devFilePath()): DevFile | undefined {
  try {
    return devSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export function writeDevFile(content: DevFile, path: string = devFilePath()): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${String(process.pid)}.tmp`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: MODE });
  chmodSync(draft, MODE);
  renameSync(draft, path);
}
