import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LOCAL_HOST } from '../../../scripts/dev/servers/ports.ts';
import { identifyProcess } from '../../../scripts/dev/servers/process-identity.ts';
import type { Log } from '../../../scripts/dev/servers/report.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

/** A log that can be read back. */
export function createMemoryLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  return Object.assign((line: string) => void lines.push(line), { lines });
}

/** Collects what a test opened, and closes it in the opposite order, also after a failure. */
export function createCleanup(): {
  readonly add: (close: () => unknown) => void;
  readonly makeFolder: () => string;
  readonly run: () => Promise<void>;
} {
  const closers: (() => unknown)[] = [];
  return {
    add: (close) => void closers.push(close),
    makeFolder: () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-local-'));
      closers.push(() => {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      });
      return folder;
    },
    run: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

export function isRunning(pid: number): boolean {
  return identifyProcess(pid) !== undefined;
}

/** Occupies a port; resolves also when somebody else has it already. */
export async function occupyPort(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(server);
    });
    server.listen(port, LOCAL_HOST, () => {
      resolve(server);
    });
  });
}

export type Parent = {
  readonly child: ChildProcess;
  /** What the fixture printed as its first line. */
  readonly said: Record<string, unknown>;
  readonly exited: Promise<unknown>;
};

/** Runs a fixture in a process of its own, which can then be killed, until its first line is there. */
export async function runParent(
  fixture: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Parent> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(FIXTURES, fixture), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  // Shown only when it matters: one fixture throws on purpose.
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => {
      reject(new Error(`${fixture} ended with ${String(code)} and said only: ${complaint}`));
    });
  });
  return { child, exited, said: JSON.parse(line) as Record<string, unknown> };
}

/** The processes whose command line or environment names the folder: servers, and wine's helpers. */
export function listProcessesOf(folder: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const names = (pid: string, file: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(folder);
    } catch {
      return false;
    }
  };
  return pids
    .filter((pid) => names(pid, 'environ') || names(pid, 'cmdline'))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid));
}

export function listChildren(parentPid: number, name: string): number[] {
  const children = readFileSync(
    `/proc/${String(parentPid)}/task/${String(parentPid)}/children`,
    'utf8',
  );
  return children
    .split(' ')
    .filter((pid) => pid !== '')
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(name))
    .map(Number);
}
