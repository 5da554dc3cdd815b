import { NODE_FLAGS } from '../../config/node-flags.ts';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SupervisedProcess, spawnSupervised } from '../../scripts/dev/servers/processes.ts';
import type { Log } from '../../scripts/dev/servers/report.ts';
import { createWatchdog, type Watchdog } from '../../scripts/dev/servers/watchdog.ts';

export const ROOT = resolve(import.meta.dirname, '..', '..');
/** Where `buildMeasured` puts what is compiled. */
export const BUILT = join(ROOT, '.cache', 'bench');

/** The compiled form of a TypeScript file of the repository. */
export function builtFile(script: string): string {
  return join(BUILT, script.replace(/\.ts$/, '.js'));
}

export interface BenchProcess {
  readonly pid: number;
  /** What it wrote, line by line. */
  readonly lines: readonly string[];
  hasEnded(): boolean;
  freeze(): void;
  resume(): void;
  kill(): void;
  stop(): Promise<void>;
}

interface StartOptions {
  /** Of the repository. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly nodeArgs?: readonly string[];
}

/** A process that is starved complains in a great many lines that all say the same. */
const LINES_SHOWN = 5;
const LINE_CHARS = 200;

let watchdog: Watchdog | undefined;

/** Starts a TypeScript file of the repository, compiled, as a process of its own. */
export function startProcess({ script, env, log, nodeArgs = [] }: StartOptions): BenchProcess {
  watchdog ??= createWatchdog();
  const lines: string[] = [];
  let isStopping = false;
  let hasEnded = false;
  const child: SupervisedProcess = spawnSupervised({
    name: script,
    command: process.execPath,
    args: [...NODE_FLAGS, ...nodeArgs, builtFile(script)],
    env: { ...process.env, ...env },
    cwd: ROOT,
    watchdog,
    log: (line) => {
      const text = line.replace(`${script} | `, '');
      lines.push(text);
      if (text !== 'ready' && lines.length <= LINES_SHOWN) log(`  ${line.slice(0, LINE_CHARS)}`);
    },
    onExit: (exit) => {
      hasEnded = true;
      if (!isStopping) log(`  ${script} ended: ${JSON.stringify(exit)}`);
    },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${script} did not start`);
  return {
    pid,
    lines,
    hasEnded: () => hasEnded,
    freeze: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => void child.kill('SIGKILL'),
    stop: async () => {
      isStopping = true;
      await child.stop('SIGTERM', 20_000);
    },
  };
}

/** Asks again and again until the answer is yes. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  { everyMs = 50, withinMs = 60_000 } = {},
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(everyMs);
  }
}
