import { join } from 'node:path';
import { NODE_FLAGS } from '../../../config/node-flags.ts';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';
import {
  type ProcessExit,
  type SupervisedProcess,
  spawnSupervised,
} from '../../../scripts/dev/servers/processes.ts';
import type { Log } from '../../../scripts/dev/servers/report.ts';
import type { Watchdog } from '../../../scripts/dev/servers/watchdog.ts';
import type { BuiltTree } from './build-tree.ts';

/** A process of the platform: an API or a worker. Whatever ends it, it is started again. */
export interface Child {
  readonly name: string;
  /** Where it answers, past any proxy. */
  readonly url: string;
  readonly logFile: string;
  pid(): number | undefined;
  signal(signal: NodeJS.Signals): boolean;
  /** SIGKILL, and down until `start`. */
  kill(): boolean;
  /** As it is, or with other surroundings until the next start. */
  start(change?: Change): void;
  /** In good order, within the grace. Resolves with how it ended. */
  stop(deadlineMs?: number): Promise<ProcessExit | undefined>;
  waitUntilReady(timeoutMs?: number): Promise<boolean>;
}

export interface Change {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly node?: readonly string[];
}

export interface ChildSpec {
  readonly name: string;
  /** From the root of the tree. */
  readonly script: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface ChildDeps {
  readonly built: BuiltTree;
  readonly logFolder: string;
  readonly log: Log;
  readonly watchdog: Watchdog;
  /** It ended, and nobody had asked for it. */
  readonly onDeath: (name: string, exit: ProcessExit) => void;
  readonly onStart: (name: string, pid: number) => void;
}

const READY_MS = 60_000;
const STOP_MS = 45_000;
/** A process that dies by itself is back soon, as under any supervisor. */
const RESTART = { firstDelayMs: 300, delayMsMax: 2_000, restartsMax: 200, windowMs: 60_000 };

export function startChildProcess(spec: ChildSpec, deps: ChildDeps): Child {
  const url = `http://127.0.0.1:${String(spec.port)}`;
  const logFile = join(deps.logFolder, `${spec.name}.log`);
  const launch = (change: Change): SupervisedProcess =>
    spawnSupervised({
      name: spec.name,
      command: process.execPath,
      args: [...NODE_FLAGS, ...(change.node ?? []), deps.built.file(spec.script)],
      env: { ...inherited(), ...spec.env, ...change.env },
      cwd: deps.logFolder,
      log: () => undefined, // what it says of itself stands in its log
      output: { file: logFile },
      restart: RESTART,
      watchdog: deps.watchdog,
      onStart: (pid) => {
        deps.onStart(spec.name, pid);
      },
      onExit: (exit, isWanted) => {
        if (!isWanted) deps.onDeath(spec.name, exit);
      },
    });
  let running = launch({});
  return Object.freeze({
    name: spec.name,
    url,
    logFile,
    pid: () => running.pid,
    signal: (signal: NodeJS.Signals) => running.kill(signal),
    kill: () => {
      running.expectEnd();
      return running.kill('SIGKILL');
    },
    start: (change: Change = {}) => {
      if (running.isRunning()) return;
      running = launch(change);
    },
    stop: async (deadlineMs = STOP_MS) => {
      await running.stop('SIGTERM', deadlineMs);
      return running.waitForExit(0);
    },
    waitUntilReady: (timeoutMs = READY_MS) =>
      waitUntil(() => answers(`${url}/healthz`), { timeoutMs, everyMs: 100 }),
  });
}

/** Nothing of ours that would change what a process does: addresses come from the cluster alone. */
function inherited(): NodeJS.ProcessEnv {
  const { PATH, HOME, TZ, LANG } = process.env;
  return { PATH, HOME, TZ, LANG };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
